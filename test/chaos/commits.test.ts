// the N-th commit of a scan fails, for N = 0, 1, 2 … until the scan passes untouched. Four readers list the albums
// all the while: whatever they see was committed, and whatever dies, the scan is done again and ends whole.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { messageOf } from '../../src/platform/errors.ts';
import { makeFlac } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Library, newLibrary } from '../fixtures/mounted.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

const folders = 2;
/** Two folders do not fit into one publication: each is a commit of its own. */
const tracks = 260;
/** A folder holds so many albums, each small enough to be listed by one call. */
const parts = 4;
/** A new life of the daemon compares what it knows with the disk by then: what is written meanwhile would be seen half. */
const comparesAfterSeconds = 6;
/** One for each folder, and the end of the scan. */
const commits = folders + 1;

/** Every file gets a new title; where it stands in the tree is the same. */
function writeGeneration(root: string, generation: number): void {
  for (let folder = 0; folder < folders; folder += 1) {
    const below = path.join(root, `Folder ${folder}`);
    mkdirSync(below, { recursive: true });
    for (let track = 1; track <= tracks; track += 1) {
      const tags = [
        ['ARTIST', 'Artist'],
        ['ALBUM', `Album ${folder}.${track % parts}`],
        ['TITLE', `Generation ${generation}`],
        ['TRACKNUMBER', String(track)],
      ] as const;
      writeFileSync(
        path.join(below, `${track}.flac`),
        makeFlac(tags, { seed: folder * tracks + track, padding: 64 }),
      );
    }
  }
}

/** Scans until everything of the generation is shown, however often that must be begun. */
async function publish(library: Library, generation: number): Promise<void> {
  await library.startScan().catch(() => undefined);
  await eventually(
    `generation ${generation} is published`,
    async () => {
      if ((await library.status()).scan.running) return false;
      const shown = await library.shell(`find $M -name "*- Generation ${generation}.flac" | wc -l`);
      if (shown === String(folders * tracks)) return true;
      await library.startScan();
      return false;
    },
    80_000,
  );
}

const interruptions = ['scan_interrupted', 'child_restarting', 'daemon_died'];
const interrupted = (library: Library) =>
  library.log().filter(({ event }) => event !== undefined && interruptions.includes(event)).length;

test.each([
  'catalog.commit.before=crash',
  'catalog.commit.before=error(unavailable)',
  'catalog.commit.before=abort',
])(
  'R-09: %s at every commit in turn: each listing is a committed one, and the scan ends whole',
  async (fault) => {
    const library = newLibrary((root) => writeGeneration(root, 0));
    library.config = path.join(library.folder, 'musicfs.toml');
    // Only a scan commits.
    writeFileSync(library.config, `[artwork]\nenabled = false\n[[origins]]\npath = "${library.origin}"\n`);
    await library.mount({ env: { MUSICFS_TEST_RESTART_RESET_MS: '100' } });
    const watchers = Array.from(
      { length: parts },
      (_, index) =>
        new TalkingChild(library.mountPoint, 'listing-sets', [
          path.join(library.mountPoint, `Artist/Album ${index % folders}.${index} [FLAC]`),
        ]),
    );
    await Promise.all(watchers.map((watcher) => watcher.ask('')));
    let generation = 0;
    for (let isTouched = true; isTouched; ) {
      const before = interrupted(library);
      const nth = generation;
      generation += 1;
      writeGeneration(library.origin, generation);
      await library.failpoint(`${fault};after=${nth};count=1`);
      try {
        await publish(library, generation);
      } catch (error) {
        const told = library.log().slice(-60);
        throw new Error(`${messageOf(error)}\n${told.map((line) => JSON.stringify(line)).join('\n')}`);
      }
      isTouched = interrupted(library) > before;
      await eventually('the files may change again', async () => {
        const { scan, uptimeSeconds } = await library.status();
        return !scan.running && uptimeSeconds > comparesAfterSeconds;
      });
      await library.clearFailpoints();
    }
    expect(generation).toBeGreaterThanOrEqual(commits);
    for (const watcher of watchers) {
      const [sets] = (await watcher.end(30_000)) as [string[][]];
      const seen = sets.map((names) => {
        const generations = names.flatMap((name) => / - Generation (\d+)\.flac$/.exec(name)?.[1] ?? []);
        return [...Map.groupBy(generations.map(Number), (one) => one)].map(([one, all]) => [one, all.length]);
      });
      // The kernel asks once more for what follows the last name: that may be of the next generation already.
      const isWhole = ([first, ...others]: number[][]) =>
        first?.[1] === tracks / parts && others.every(([, names]) => names === 1) && others.length < 2;
      expect(seen.filter((listing) => !isWhole(listing))).toEqual([]);
      const order = seen.flatMap((listing) => listing.map(([generation]) => generation ?? 0));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(order.at(-1)).toBe(generation);
    }
  },
  240_000,
);
