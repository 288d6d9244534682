// Many readers at once, half of them of files that are kept and half of files that are fetched from 50 ms away, and somebody who
// asks for names all the while. Ours alone: what is promised are deadlines.
import * as v from 'valibot';
import type { Bench, Workload } from '../bench.ts';
import { remoteReads, times } from '../remote/reads.ts';

const seen = v.object({
  longestMs: v.number(),
  failures: v.number(),
  errors: v.array(v.string()),
  bytes: v.number(),
});
const quantile = 0.99;

export const remoteCrowd: Workload = {
  name: 'remote-crowd',
  libraries: [],
  needsAgedFiles: false,
  figures: ['crowdRead', 'crowdMetadata'],
  async run(bench) {
    const remote = await bench.parts.remote();
    const server = remote.servers.servers.find(({ kind }) => kind === 'webdav');
    if (server === undefined) return;
    await remote.ours(bench, server, 'far', async ({ mount, placeOf }) => {
      const songs = remote.music.songs.map(placeOf);
      await bench.command(
        'cat',
        songs.filter((_, index) => index % 2 === 0),
      );
      await crowd(bench, mount.root, songs);
    });
  },
};

async function crowd(bench: Bench, root: string, songs: readonly string[]): Promise<void> {
  const { crowd: readers, crowdSeconds } = bench.parts.sizes;
  const seconds = String(crowdSeconds);
  const [reads, asked] = await Promise.all([
    remoteReads(bench, ['crowd', String(readers), seconds, ...songs], seen, readers + 4),
    remoteReads(bench, ['names', seconds, root], times),
  ]);
  if (reads.failures > 0)
    bench.failures.push(`${reads.failures} reads of the crowd failed: ${reads.errors.join(', ')}`);
  bench.parts.samples.add('crowdRead', 'musicfs', reads.longestMs, {
    'MB/s': reads.bytes / 1e6 / crowdSeconds,
  });
  const index = Math.floor(asked.length * quantile);
  bench.parts.samples.add('crowdMetadata', 'musicfs', asked[index] ?? Number.NaN, { asked: asked.length });
}
