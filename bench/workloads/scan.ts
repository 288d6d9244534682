// How quickly a library is taken in: from an empty catalog, files in the page cache, ours and musefs's. Ours is timed by
// its log, from the start to the end of the scan; a peer's scan is a command, timed from its start to its end.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import type { Bench, Workload } from '../bench.ts';
import { findMusefs } from '../peers.ts';
import type { System } from '../system.ts';

export const scan: Workload = {
  name: 'scan',
  libraries: ['small'],
  needsAgedFiles: false,
  figures: ['scanRate'],
  async run(bench) {
    const { root } = bench.parts.libraries.get('small');
    const own = bench.parts.systems.find(({ name }) => name === 'musicfs');
    const peer = bench.parts.systems.find(({ name }) => name === 'musefs');
    const program = findMusefs();
    await bench.command('find', [root, '-type', 'f', '-exec', 'cat', '{}', '+']); // into the page cache
    for (let round = 0; round < bench.parts.sizes.rounds; round += 1) {
      if (own !== undefined) await ownScan(bench, own);
      if (peer !== undefined && program !== undefined) await musefsScan(bench, peer, program);
    }
  },
};

async function ownScan(bench: Bench, system: System): Promise<void> {
  const library = bench.parts.libraries.get('small');
  const state = path.join(bench.parts.folder, 'state-scan');
  await bench.withMountPoint(async (mountPoint) => {
    const mount = await bench.parts.musicfs.mount(library.root, state, mountPoint, ['--wait']);
    await mount.unmount();
  });
  const { seconds, bytesReadForTags } = scanIn(readFileSync(path.join(state, 'musicfsd.log'), 'utf8'));
  bench.record('scanRate', system, library.files / seconds, {
    'bytes read a file': Math.round(bytesReadForTags / library.files),
  });
  rmSync(state, { recursive: true, force: true });
}

const lineSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.looseObject({
    time: v.string(),
    event: v.optional(v.string()),
    bytesReadForTags: v.optional(v.number()),
  }),
);

/** When the first scan of a log began and ended, and what it read. */
export function scanIn(log: string): { seconds: number; bytesReadForTags: number } {
  const lines = log
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => v.parse(lineSchema, text));
  const line = (event: string) => lines.find((entry) => entry.event === event);
  const ended = line('scan_ended');
  const seconds = (Date.parse(ended?.time ?? '') - Date.parse(line('scan_started')?.time ?? '')) / 1000;
  return { seconds, bytesReadForTags: ended?.bytesReadForTags ?? Number.NaN };
}

async function musefsScan(bench: Bench, system: System, program: string): Promise<void> {
  const library = bench.parts.libraries.get('small');
  const store = path.join(bench.parts.folder, 'musefs-scan.db');
  const { seconds } = await bench.command(program, ['scan', '--quiet', '--db', store, library.root]);
  bench.record('scanRate', system, library.files / seconds);
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${store}${suffix}`, { force: true });
}
