// What a scenario happens in: a mounted library, its readers, and the questions that victims and invariants ask.
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { StatusReport, SupervisionNode } from '../../../src/control/client.ts';
import { makeFlac } from '../../fixtures/audio-files.ts';
import type { CheckedReaders } from '../../fixtures/checked-readers.ts';
import { eventually } from '../../fixtures/eventually.ts';
import type { Library } from '../../fixtures/mounted.ts';
import type { Random } from '../../fixtures/mutations.ts';
import type { Fault } from './pauses.ts';

export interface Scene {
  readonly library: Library;
  readonly readers: CheckedReaders;
  readonly random: Random;
  /** Every fault so far. */
  readonly faults: Fault[];
  /** Restarts that the faults must have caused, by actor. */
  readonly expectedRestarts: Map<string, number>;
  /** Files that come and go; the readers do not know them. */
  readonly fresh: FreshFiles;
  /** What the invariants found broken while the faults went on. */
  readonly broken: string[];
  readonly scan: ScanLedger;
  readonly signal: AbortSignal;
}

/** What parsing has cost over all lives of the daemon. */
export interface ScanLedger {
  /** Parses of lives that are over, as far as they were seen. */
  parsedBefore: number;
}

/** Part of the library that is changed while the readers read the rest: all below Fresh in the mount. */
export class FreshFiles {
  readonly count: number;
  private readonly folder: string;

  constructor(origin: string, count: number) {
    this.folder = path.join(origin, 'fresh');
    this.count = count;
  }

  write(): void {
    mkdirSync(this.folder, { recursive: true });
    for (let index = 0; index < this.count; index += 1) {
      const tags = [
        ['ARTIST', 'Fresh'],
        ['ALBUM', `Fresh ${Math.floor(index / 50)}`],
        ['TITLE', `T${index}`],
      ] as const;
      writeFileSync(this.pathOf(index), makeFlac(tags, { seed: index + 1 }));
    }
  }

  /** Makes every file look changed. */
  touch(): void {
    const now = new Date();
    for (let index = 0; index < this.count; index += 1) utimesSync(this.pathOf(index), now, now);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private pathOf(index: number): string {
    return path.join(this.folder, `fresh ${index}.flac`);
  }
}

export const leavesOf = (node: SupervisionNode): SupervisionNode[] =>
  node.children.length === 0 ? [node] : node.children.flatMap(leavesOf);

export async function actorNamed(library: Library, id: string): Promise<SupervisionNode> {
  const found = leavesOf(await library.tree()).find((leaf) => leaf.id === id);
  if (found === undefined) throw new Error(`no actor ${id}`);
  return found;
}

/** Every actor runs, nothing waits, no scan runs. */
export function untilQuiet({ library }: Pick<Scene, 'library'>, deadlineMs: number): Promise<StatusReport> {
  return eventually(
    'everything runs and nothing waits',
    async () => {
      const [status, tree] = [await library.status(), await library.tree()];
      const isIdle = leavesOf(tree).every(
        ({ mailbox, state }) => state === 'running' && (mailbox?.depth ?? 0) === 0,
      );
      return isIdle && !status.scan.running && status.state === 'ready' && status;
    },
    deadlineMs,
  );
}
