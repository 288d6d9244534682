// What is particular to driver fuse-native: its process is the mount, lives as long as the daemon, and is replaced when
// it dies. Runs with that driver only.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary, newLibrary } from '../fixtures/mounted.ts';
import { childrenOf, isAlive, processesAbout } from '../fixtures/processes.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

const twentyFiles = (root: string) => writeFlacLibrary(root, { files: 20, albums: 2 });
const song = 'Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac';

const driverOf = async (library: Library) => {
  const { daemon } = await library.pids();
  const drivers = processesAbout('fuse-native/main.ts').filter((pid) => childrenOf(daemon).includes(pid));
  expect(drivers).toHaveLength(1);
  return drivers[0] ?? 0;
};
const deviceOf = (library: Library) => library.shell('findmnt -no MAJ:MIN --mountpoint $M');
const everyByte = (library: Library) => library.shell('find $M -type f -print0 | xargs -0 cat | wc -c');

async function openSong(library: Library): Promise<TalkingChild> {
  const reader = new TalkingChild(library.mountPoint, 'held-open', [path.join(library.mountPoint, song)]);
  await reader.ask('');
  return reader;
}

test('11.1: neither a restart of the fuse handler nor a SIGTERM for the process shows: the mount and open files stay', async () => {
  const library = await mountLibrary({ origin: twentyFiles });
  const [driver, device] = [await driverOf(library), await deviceOf(library)];
  const reader = await openSong(library);
  process.kill(driver, 'SIGTERM'); // as a service manager sends it to all at once
  await library.failpoint('actor.fuse-handler.handle=crash;count=1');
  await eventually('the handler is started again', async () => {
    const { supervision } = await library.status();
    return supervision.restartsTotal > 0;
  });
  expect(await reader.ask<string[]>('hash')).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  expect([await driverOf(library), await deviceOf(library)]).toEqual([driver, device]);
  await eventually('all is well', async () => (await library.status()).state === 'ready');
});

test.each([
  { end: 'is killed', how: (_library: Library, driver: number) => process.kill(driver, 'SIGKILL') },
  {
    end: 'kills itself in a request',
    how: (library: Library) => library.failpoint('fuse.request.decoded=abort;count=1'),
  },
  {
    end: 'gives no sign of life',
    how: (library: Library) => library.failpoint('fuse.thread.loop=hang;count=1'),
  },
])('a process that $end is replaced: open files fail, the mount is renewed', async ({ end, how }) => {
  const library = await mountLibrary({ origin: twentyFiles });
  const bytes = await everyByte(library);
  const [driver, reader] = [await driverOf(library), await openSong(library)];
  await how(library, driver);
  if (end === 'kills itself in a request') await library.tryShell('ls $M');
  await eventually('the process is gone', () => !isAlive(driver), 15_000);
  // Armed failpoints are armed in the next process too.
  await eventually('failpoints are off', async () => library.clearFailpoints().then(() => true));
  await eventually('the mount is renewed', async () => {
    const { code, stdout } = await library.tryShell('ls $M');
    return code === 0 && stdout !== '';
  });
  expect(await everyByte(library)).toBe(bytes);
  expect(await reader.ask('hash')).toEqual([expect.stringMatching(/^(ENOTCONN|ECONNABORTED)$/)]);
  expect(await library.shell('grep -c " $M " /proc/self/mountinfo')).toBe('1');
  expect((await library.status()).supervision.restartsTotal).toBeGreaterThan(0);
  await reader.end();
  await library.unmount();
  await eventually('every process has ended', () => processesAbout(library.folder).length === 0);
});

test('when the daemon is killed its process ends too, and the keeper lets the next life mount anew', async () => {
  const library = await mountLibrary({ origin: twentyFiles });
  const [{ daemon }, driver] = [await library.pids(), await driverOf(library)];
  process.kill(daemon, 'SIGKILL');
  await eventually('the process has ended', () => !isAlive(driver), 10_000);
  await eventually(
    'the mount is back',
    async () => (await library.tryShell('find $M -type f | wc -l')).stdout.trim() === '20',
  );
  const status = await eventually('the next life takes calls', () => library.status());
  expect(status.pid).not.toBe(daemon);
  expect(await library.shell('grep -c " $M " /proc/self/mountinfo')).toBe('1');
});

test('mount points with blanks, quotes and what a shell would run are mounted and unmounted', async () => {
  const library = newLibrary(twentyFiles);
  const point = path.join(library.folder, `a "b' $(touch c) \`d\` \\, e`);
  mkdirSync(point);
  const [, ...args] = library.mountArguments(['--wait', '--allow-other']);
  const { code } = await library.run(['mount', point, ...args], { mountPoints: [point] });
  expect(code).toBe(0);
  const env = { POINT: point };
  expect(await library.shell('find "$POINT" -type f | wc -l', { env, mountPoints: [point] })).toBe('20');
  expect((await library.run(['unmount', point], { mountPoints: [point] })).stderr).toBe('');
  await eventually('every process has ended', () => processesAbout(library.folder).length === 0);
});

test('the configuration chooses the driver, and the command line has the last word', async () => {
  const library = newLibrary(twentyFiles);
  const config = path.join(library.folder, 'musicfs.toml');
  writeFileSync(config, `[fuse]\ndriver = "fuse-native"\n`);
  const given = [
    library.mountPoint,
    '--origin',
    library.origin,
    '--state',
    library.stateDirectory,
    '--config',
    config,
  ];
  for (const [args, expected] of [
    [[], 'fuse-native'],
    [['--driver', 'kernel'], 'kernel'],
  ] as const) {
    const { code, stderr } = await library.run(['mount', ...given, ...args]);
    expect(code, stderr).toBe(0);
    expect((await eventually('the daemon takes calls', () => library.status())).driver).toBe(expected);
    await library.unmount();
  }
});
