// Faults that end the process of the daemon, or make its watchdog say so, armed at each start of it.
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { isAlive, processesAbout } from '../fixtures/processes.ts';

const filesInAll = 20;
const aLibrary = (root: string) => writeFlacLibrary(root, { files: filesInAll, albums: 2 });
const song = 'Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac';
const other = 'Artist 0/Album 0 (1960) [FLAC]/02 - Title 2.flac';
const direct = (file: string) =>
  `dd if="$M/${file}" iflag=direct bs=64k status=none | sha256sum | cut -d" " -f1`;

/** Mounts the library again, with these failpoints armed in each life of its daemon. */
async function mountAgain(library: Library, settings: readonly string[]): Promise<void> {
  await library.unmount();
  await library.mount({ args: settings.flatMap((setting) => ['--failpoint', setting]), wait: false });
}

const deaths = (library: Library) => library.log().filter(({ event }) => event === 'daemon_died');

test('R-42: a request that kills each life that serves it fails at its third delivery; the others are served', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const node = await library.shell(`stat -c %i "$M/${song}"`);
  const right = await library.shell(direct(other));
  // Its open dies in the first life, is sent to the second, and killed that one too.
  await mountAgain(library, [`fuse.request.decoded=abort;only=${node}`]);
  const reading = library.tryShell(`dd if="$M/${song}" iflag=direct bs=64k status=none | wc -c`, {
    limitMs: 20_000,
  });
  const others = library.shell(`for i in $(seq 30); do ${direct(other)}; done | sort -u`, {
    limitMs: 20_000,
  });
  const { stderr } = await reading;
  expect(stderr).toContain('Input/output error');
  expect(await others).toBe(right);
  expect(deaths(library)).toHaveLength(2);
  const status = await eventually('the third life takes calls', () => library.status());
  expect(status.incarnation).toBe(3);
  expect(status.warnings.join('\n')).toContain('1 requests failed as the daemon died of them twice');
}, 60_000);

test('a read that hung when its daemon was killed is answered by the next life', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  await library.failpoint('fuse.read.before-reply=hang');
  const reading = library.tryShell(direct(song), { limitMs: 20_000 });
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > 0,
  );
  const { daemon } = await library.pids();
  process.kill(daemon, 'SIGKILL');
  const { code, stdout } = await reading;
  expect(code).toBe(0);
  expect(stdout.trim()).toBe(
    await library.shell(`sha256sum < "$O/Artist 0/Album 0/01.flac" | cut -d" " -f1`),
  );
});

test.each([
  { what: 'is followed at once', settings: [], look: /No such file or directory/ },
  {
    what: 'is followed by another mount where the kernel sends nothing twice',
    settings: ['fuse.init.resend=deny'],
    look: /connection abort|not connected/,
  },
])('R-50: a daemon killed while a notification waits for its answer $what', async ({ settings, look }) => {
  const library = await mountLibrary({ origin: aLibrary });
  if (settings.length > 0) await mountAgain(library, settings);
  await eventually('the daemon takes calls', () => library.status());
  const { daemon } = await library.pids();
  const album = 'Artist 0/Album 0 (1960) [FLAC]';
  // The hang is found out within 10 s: who scans and who notifies is there already.
  writeFlacLibrary(library.origin, { files: filesInAll + 1, albums: 2 });
  await library.rescan();
  await pause(500); // what was published is told a second time
  await library.tryShell(`stat "$M/${album}/nothing"`);
  await library.failpoint('fuse.thread.loop=hang;count=1');
  await pause(1_200); // the thread looks up at least each second
  // The look holds the lock of its directory until it is answered, and the notification waits for that lock.
  const looking = library.tryShell(`stat "$M/${album}/none such"`, { limitMs: 30_000 });
  await eventually('the look waits', () =>
    library
      .shell('for p in $(pgrep -f "none such"); do cat /proc/$p/stack; done || true')
      .then((stacks) => stacks.includes('fuse_lookup')),
  );
  writeFlacLibrary(library.origin, { files: filesInAll + 2, albums: 2 });
  await library.startScan();
  await eventually('the notification waits', () =>
    library
      .shell(`cat /proc/{${daemon},$(pgrep -P ${daemon} -f notify-process)}/task/*/stack || true`)
      .then((stacks) => stacks.includes('fuse_reverse_inval_entry')),
  );
  process.kill(daemon, 'SIGKILL');
  const killedAt = Date.now();
  expect((await looking).stderr).toMatch(look);
  expect(Date.now() - killedAt).toBeLessThan(5_000);
  await eventually('the killed one is gone', () => !isAlive(daemon));
});

test('R-11: a fuse thread that cannot be started again is answered with a new daemon', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon } = await library.pids();
  await library.failpoint('fuse.adopt.before-resend=crash');
  await library.failpoint('actor.fuse-handler.handle=crash;count=1');
  const reading = library.tryShell(direct(song), { limitMs: 60_000 });
  await eventually('it is ended', () => !isAlive(daemon), 45_000);
  expect((await reading).code).toBe(0);
  expect(library.log().find(({ event }) => event === 'daemon_silent')).toMatchObject({ daemon });
}, 90_000);

test('a daemon that dies at its first start is refused, and nothing is left of it', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  await library.unmount();
  const { code, stderr } = await library.tryMount(['--failpoint', 'fuse.adopt.before-resend=abort']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('the daemon ended at its start')]);
  expect(library.isMounted()).toBe(false);
  expect(processesAbout(library.folder)).toEqual([]);
});

test('one that dies over and over is given up after a minute: the mount is taken away', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  await library.unmount();
  const { code } = await library.tryMount(['--failpoint', 'actor.watchdog.start=abort']);
  expect([code, library.isMounted()]).toEqual([0, true]);
  await eventually('nothing is mounted', () => !library.isMounted(), 100_000);
  await eventually('nothing runs', () => processesAbout(library.folder).length === 0);
  // The first was at work already, and did not count.
  expect(deaths(library).map(({ delayMs }) => delayMs)).toEqual([0, 0, 1_000, 5_000, 30_000, 30_000, null]);
  expect(library.log().at(-1)).toMatchObject({ event: 'gave_up', failures: 6 });
}, 150_000);

test('R-11: a mount that answers no probe is said to be ill, and its daemon is replaced after 30 s', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon } = await library.pids();
  await library.failpoint('watchdog.probe=deny');
  const status = await eventually(
    'the watchdog says so',
    async () => {
      const now = await library.status();
      return now.warnings.some((warning) => warning.includes('the mount does not answer')) && now;
    },
    15_000,
  );
  expect(status.pid).toBe(daemon);
  const reading = library.shell(
    `for i in $(seq 300); do ${direct(song)}; sleep 0.1; done | sort -u | wc -l`,
    {
      limitMs: 90_000,
    },
  );
  await eventually('it is ended', () => !isAlive(daemon), 45_000);
  expect(await reading).toBe('1');
  expect(library.log().find(({ event }) => event === 'watchdog_withheld')).toBeDefined();
  expect(library.log().find(({ event }) => event === 'daemon_silent')).toMatchObject({ daemon });
}, 120_000);

test('R-11: so is one whose good word does not reach its keeper', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon } = await library.pids();
  await library.failpoint('watchdog.ping=deny');
  await eventually('it is ended', () => !isAlive(daemon), 45_000);
  await eventually('the next life serves', async () => (await library.status()).pid !== daemon, 15_000);
}, 90_000);
