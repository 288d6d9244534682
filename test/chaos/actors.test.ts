// whatever part of the daemon fails or hangs, it is started again, that can be seen, and eight readers that check
// every byte and name notice nothing.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SupervisionNode } from '../../src/control/client.ts';
import { makeFlac } from '../fixtures/audio-files.ts';
import { CheckedReaders } from '../fixtures/checked-readers.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { childrenOf, commandOf, isAlive, killNow } from '../fixtures/processes.ts';

const filesInAll = 120;
/** What a hung life may take to be given up, after it was found, and the next one to start. */
const givenUpMs = 10_000;
let library: Library;
let readers: CheckedReaders;
let daemonPid: number;

beforeEach(async () => {
  library = await mountLibrary({
    origin: (root) => writeFlacLibrary(root, { files: filesInAll, albums: 12 }),
  });
  readers = await CheckedReaders.over(library, filesInAll);
  daemonPid = (await library.pids()).daemon;
});

afterEach(() => readers.stop());

const leavesOf = (node: SupervisionNode): SupervisionNode[] =>
  node.children.length === 0 ? [node] : node.children.flatMap(leavesOf);

/** The tree as the command line prints it. */
async function treeByCommand(): Promise<SupervisionNode> {
  const { code, stdout, stderr } = await library.run(['tree', library.mountPoint, '--json']);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as SupervisionNode;
}

async function actor(id: string): Promise<SupervisionNode> {
  const found = leavesOf(await library.tree()).find((leaf) => leaf.id === id);
  if (found === undefined) throw new Error(`no actor ${id}`);
  return found;
}

/** The actor runs in a later life than before, and its last error says why. */
function restarted(before: SupervisionNode, error: RegExp, deadlineMs: number): Promise<SupervisionNode> {
  return eventually(
    `${before.id} is started again`,
    async () => {
      const now = await actor(before.id);
      return (
        now.state === 'running' &&
        now.restartsTotal > before.restartsTotal &&
        now.incarnation > before.incarnation &&
        error.test(now.lastError?.message ?? '') &&
        now
      );
    },
    deadlineMs,
  );
}

/** Its death left a report in the state directory. */
function expectReportOf({ id, incarnation }: SupervisionNode): void {
  const folder = path.join(library.stateDirectory, 'crash');
  const reports = readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as unknown,
  );
  expect(reports).toContainEqual(
    expect.objectContaining({ event: 'part_died', actor: id, incarnation, pid: daemonPid }),
  );
}

async function expectAllWell(): Promise<void> {
  await readers.readAllOnce();
  await library.clearFailpoints();
  await eventually('the scan can be run again', async () =>
    (await library.rescan()).includes(`${filesInAll} files`),
  );
  expect(await library.shell('find $M -type f | wc -l')).toBe(String(filesInAll));
  await readers.readAllOnce();
  await readers.stop();
  expect(readers.errors).toEqual([]);
  expect(readers.longestMs).toBeLessThan(30_000);
  const status = await eventually('nothing is open or queued', async () => {
    const now = await library.status();
    const leaves = leavesOf(await library.tree());
    const isIdle = leaves.every(({ mailbox, state }) => state === 'running' && (mailbox?.depth ?? 0) === 0);
    return isIdle && now.session.openHandles === 0 && now;
  });
  expect(status.pid).toBe(daemonPid);
  expect(status.files).toBe(filesInAll);
  expect(status.state).toBe('ready');
}

test('R-06: every actor crashes once and is started again; the readers notice nothing', async () => {
  const actors = leavesOf(await treeByCommand());
  expect(actors.map(({ id }) => id)).toEqual([
    'catalog-writer',
    'health-monitor',
    'origin-lane.local',
    'indexer',
    'playlists',
    'artwork',
    'sweeper',
    'resources',
    'fuse-handler',
    'control',
    'watchdog',
  ]);
  for (const { id } of actors) {
    const before = await actor(id);
    await library.failpoint(`actor.${id}.handle=crash;count=1`);
    // Gives each something to do; the answer may die with the actor that was asked.
    await library.startScan().catch(() => undefined);
    const after = await restarted(before, /failpoint actor\..*: crash/, 15_000);
    expect(after.restartsTotal, id).toBe(before.restartsTotal + 1);
    await readers.readAllOnce();
  }
  const { restartsTotal } = (await library.status()).supervision;
  expect(restartsTotal).toBeGreaterThanOrEqual(actors.length);
  await expectAllWell();
}, 90_000);

test.each([
  { what: 'fuse handler, lane and indexer hang', ids: ['fuse-handler', 'origin-lane.local', 'indexer'] },
  { what: 'the catalog writer hangs', ids: ['catalog-writer'] },
])(
  'R-06: when $what, heartbeats find out within 10 s; readers and scans go on',
  async ({ ids }) => {
    await Promise.all(
      ids.map(async (id) => {
        const before = await actor(id);
        await library.failpoint(`actor.${id}.handle=hang;count=1`);
        const armedAtMs = Date.now();
        // Up to 3 s until a ping waits behind the hung message, then two periods of silence.
        const foundWithinMs = 10_000;
        const { lastError } = await restarted(before, /./, foundWithinMs + givenUpMs);
        expect((lastError?.atMs ?? 0) - armedAtMs, id).toBeLessThan(foundWithinMs + 1_000);
      }),
    );
    await expectAllWell();
  },
  60_000,
);

test.each([
  { fault: 'fuse.thread.loop=crash;count=1', deadlineMs: 10_000 },
  { fault: 'fuse.request.decoded=crash;count=1', deadlineMs: 10_000 },
  { fault: 'fuse.thread.loop=hang;count=1', deadlineMs: 15_000 },
])(
  'R-06, R-02: $fault: the fuse thread is started again and takes the session over',
  async ({ fault, deadlineMs }) => {
    const before = await actor('fuse-handler');
    await library.failpoint(fault);
    await restarted(before, /failpoint|no sign of life/, deadlineMs);
    if (fault.includes('crash')) expectReportOf(before);
    await expectAllWell();
  },
  90_000,
);

test('R-06: the fuse thread may crash more often than its budget has starts, if each life did some work', async () => {
  const mostStarts = 5;
  for (let round = 0; round <= mostStarts; round += 1) {
    const before = await eventually('a life of more than a second', async () => {
      const now = await actor('fuse-handler');
      return now.heartbeatAgeMs !== undefined && Date.now() - (now.startedMs ?? Date.now()) > 2_100 && now;
    });
    await library.failpoint('fuse.request.decoded=crash;after=20;count=1');
    await restarted(before, /failpoint/, 3_000);
  }
  await expectAllWell();
}, 60_000);

test('a flood of scan and cancel calls is answered, refused where it is too much, and nothing dies', async () => {
  const answers = await library.program<Record<string, number>>('call-flood', [library.socketPath, '600']);
  expect(Object.values(answers).reduce((sum, count) => sum + count, 0)).toBe(600);
  const expected = ['ok', 'already_exists', 'overloaded', 'cancelled'];
  expect(Object.keys(answers).filter((code) => !expected.includes(code))).toEqual([]);
  expect(answers['overloaded']).toBeGreaterThan(0);
  expect(answers['ok']).toBeGreaterThan(0);
  await eventually('the scans have ended', async () => !(await library.status()).scan.running);
  expect((await library.status()).supervision.restartsTotal).toBe(0);
  await expectAllWell();
}, 60_000);

test('parsers killed in mid-scan are replaced; the scan ends with every file', async () => {
  // The readers know nothing of what is below Fresh.
  for (let track = 1; track <= 60; track += 1) {
    const tags = [
      ['ARTIST', 'Fresh'],
      ['ALBUM', 'Fresh'],
      ['TITLE', `T${track}`],
    ] as const;
    writeFileSync(path.join(library.origin, `fresh ${track}.flac`), makeFlac(tags, { seed: track }));
  }
  await library.failpoint('parser.file=delay(200)');
  const scan = library.rescan();
  const killed = new Set<number>();
  for (let round = 0; round < 3; round += 1) {
    const pid = await eventually('a parser is at work', () =>
      childrenOf(daemonPid).find(
        (child) => isAlive(child) && !killed.has(child) && commandOf(child).includes('parser-process'),
      ),
    );
    killNow(pid, 'parser-process');
    killed.add(pid);
    await eventually('the parser is gone', () => !isAlive(pid));
  }
  await library.clearFailpoints();
  expect(await scan).toContain(`${filesInAll + 60} files`);
  expect((await library.status()).scan.errors).toBe(0);
  expect(await library.shell('find $M/Fresh -type f | wc -l')).toBe('60');
  await readers.readAllOnce();
}, 60_000);
