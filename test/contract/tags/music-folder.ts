// A folder of music for one test, and a pool of real parser children over it; both gone when the test ends.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import { defaultScan } from '../../../src/library/scan-settings.ts';
import type { TrackTags } from '../../../src/library/track-tags.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import type { ParseOutcome } from '../../../src/tags/parse-outcome.ts';
import {
  defaultParserLimits,
  type ParserLimits,
  ParserPool,
  type ParserPoolOptions,
} from '../../../src/tags/parser-pool.ts';

/** Longest that a test waits for its outcomes. */
const deadlineMs = 60_000;

export class MusicFolder {
  readonly root: string;

  constructor(files: Readonly<Record<string, Buffer>> = {}) {
    this.root = mkdtempSync(join(tmpdir(), 'musicfs-tags-'));
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
    for (const [name, bytes] of Object.entries(files)) this.write(name, bytes);
  }

  write(name: string, bytes: Buffer): void {
    mkdirSync(dirname(join(this.root, name)), { recursive: true });
    writeFileSync(join(this.root, name), bytes);
  }

  async parse(pool: ParserPool, names: readonly string[]): Promise<readonly ParseOutcome[]> {
    const files = names.map((name) => realPath(Buffer.from(name).toString('latin1')));
    return pool.parse({ rootPath: this.root, files }, AbortSignal.timeout(deadlineMs));
  }

  /** The one file's tags; fails when it has none. */
  async tagsOf(pool: ParserPool, name: string): Promise<TrackTags> {
    const [outcome] = await this.parse(pool, [name]);
    if (outcome?.type !== 'parsed') throw new Error(`${name}: ${JSON.stringify(outcome)}`);
    return outcome.tags;
  }
}

export function startPool(
  options: Partial<Omit<ParserPoolOptions, 'limits'>> & { readonly limits?: Partial<ParserLimits> } = {},
): ParserPool {
  const pool = new ParserPool({
    size: 1,
    dropPrivileges: process.getuid?.() === 0,
    log: silentLogger,
    clock: systemClock,
    failpoints: () => [],
    legacyCharset: defaultScan.legacyCharset,
    ...options,
    limits: { ...defaultParserLimits, ...options.limits },
  });
  onTestFinished(() => pool.close());
  return pool;
}
