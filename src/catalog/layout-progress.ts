// By which settings the tree is laid out, and how far a change of them has come. Kept in table `meta`, so that a life that
// begins goes on where the last one ended. Used by the publisher, inside its transactions where it writes.
//
//   layout         hash of the settings that every track was placed by; 0 while a change is under way
//   layout_next    hash of those that tracks are being placed by
//   layout_second  1: on the second way over all tracks
//   layout_after   tracks up to this node are done on that way
import type Database from 'better-sqlite3';
import { templatePresets } from '../library/template.ts';
import type { PlacerOptions } from './placer.ts';

export interface LayoutStep {
  readonly isSecond: boolean;
  /** Tracks up to this node are done. */
  readonly after: number;
}

type Key = 'layout' | 'layout_next' | 'layout_second' | 'layout_after';

/** Increased when names come out otherwise although the settings are as they were. */
const rulesVersion = 3;

const underWay = 0;

export class LayoutProgress {
  private readonly wanted: number;
  private readonly sql;

  constructor(database: Database.Database, { template, library, hash }: PlacerOptions) {
    this.sql = {
      get: database.prepare<unknown[], number>('SELECT value FROM meta WHERE key = ?').pluck(),
      set: database.prepare<unknown[]>('INSERT OR REPLACE INTO meta VALUES (?, ?)'),
      anyTrack: database.prepare<unknown[], number>('SELECT 1 FROM tracks LIMIT 1').pluck(),
    };
    const source = templatePresets[template.source] ?? template.source;
    const settings = JSON.stringify([rulesVersion, source, Object.entries(library).sort(byName)]);
    this.wanted = Number.parseInt(hash(settings).slice(0, 13), 16); // 52 bits: a whole number in JavaScript
    if (this.sql.anyTrack.get() === undefined) this.sql.set.run('layout', this.wanted);
  }

  /** What is to be done next; null: everything is in its place. */
  get step(): LayoutStep | null {
    if (this.get('layout') === this.wanted) return null;
    if (this.get('layout_next') !== this.wanted) return { isSecond: false, after: 0 };
    return { isSecond: this.get('layout_second') === 1, after: this.get('layout_after') ?? 0 };
  }

  /** Tracks up to this node are done. */
  reached({ isSecond }: LayoutStep, after: number): void {
    this.set('layout', underWay); // also when the change is taken back half way
    this.set('layout_next', this.wanted);
    this.set('layout_second', isSecond ? 1 : 0);
    this.set('layout_after', after);
  }

  /** All tracks are done on this way. */
  passed({ isSecond }: LayoutStep): void {
    if (isSecond) this.set('layout', this.wanted);
    else this.reached({ isSecond: true, after: 0 }, 0);
  }

  private get(key: Key): number | undefined {
    return this.sql.get.get(key);
  }

  private set(key: Key, value: number): void {
    this.sql.set.run(key, value);
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
