// How a mount begins and ends, by commands, by signals and by force; and that nothing is left of it.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type ChildResult, endOf, startChild } from '../fixtures/limited-child.ts';
import { type Library, mountLibrary, musicfs, newLibrary } from '../fixtures/mounted.ts';
import { groupOf, isAlive, processesAbout } from '../fixtures/processes.ts';

const twentyFiles = (root: string) => writeFlacLibrary(root, { files: 20, albums: 2 });
const song = 'Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac';

/** Mount, processes, socket and lock; the catalog and the log stay. */
async function expectNothingLeft(library: Library): Promise<void> {
  await eventually('every process has ended', () => processesAbout(library.folder).length === 0, 10_000);
  expect(library.isMounted()).toBe(false);
  expect(existsSync(library.socketPath)).toBe(false);
  expect(existsSync(path.dirname(library.socketPath))).toBe(false);
  expect(readdirSync(library.stateDirectory).sort()).toEqual(['catalog.db', 'catalog.json', 'musicfsd.log']);
  expect(readdirSync(library.mountPoint)).toEqual([]);
}

interface Foreground {
  readonly pid: number;
  readonly end: Promise<ChildResult>;
}

async function mountInForeground(library: Library): Promise<Foreground> {
  const child = startChild(
    musicfs,
    ['mount', ...library.mountArguments(['--foreground', '--wait'])],
    library,
  );
  const end = endOf(child, 'mount --foreground', { limitMs: 30_000, mountPoints: [library.mountPoint] });
  await eventually('the mount stands', async () => (await library.status()).scan.complete);
  return { pid: child.pid ?? 0, end };
}

test('a start returns, the mount answers and goes on without its starter; unmount leaves nothing', async () => {
  const library = newLibrary(twentyFiles);
  const started = await library.tryMount(['--wait']);
  expect(started).toMatchObject({ code: 0, stdout: `mounted ${library.mountPoint}\n` });
  expect(await library.shell('find $M -type f | wc -l')).toBe('20');
  const { daemon, keeper } = await library.pids();
  const ended = await library.run(['unmount', library.mountPoint]);
  expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(isAlive(daemon)).toBe(false);
  await eventually('the keeper ends', () => !isAlive(keeper), 10_000);
  await expectNothingLeft(library);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'R-01: %s to the daemon stops it with 0 and leaves nothing',
  async (signal) => {
    const library = newLibrary(twentyFiles);
    const foreground = await mountInForeground(library);
    const { daemon, keeper } = await library.pids();
    expect(keeper).toBe(foreground.pid);
    process.kill(daemon, signal);
    expect((await foreground.end).code).toBe(0);
    await expectNothingLeft(library);
    expect(library.log().map(({ event }) => event)).toEqual(expect.arrayContaining(['stopping', 'stopped']));
    expect(library.log().find(({ event }) => event === 'stopping')).toMatchObject({ why: signal });
  },
);

test('R-01: a stop while files are open ends within its time, and the path is free at once', async () => {
  const library = newLibrary(twentyFiles);
  const foreground = await mountInForeground(library);
  const reader = startChild('bash', ['-c', 'exec 3< "$FILE"; echo open; read line'], {
    env: { FILE: path.join(library.mountPoint, song) },
  });
  const ended = endOf(reader, 'an open file', { mountPoints: [library.mountPoint] });
  await once(reader.stdout ?? reader, 'data');
  process.kill((await library.pids()).daemon, 'SIGTERM');
  expect((await foreground.end).code).toBe(0);
  await expectNothingLeft(library);
  reader.stdin?.end();
  await ended;
});

test('R-01: a second SIGTERM while a read hangs ends the daemon at once, and the reader gets an error', async () => {
  const library = newLibrary(twentyFiles);
  const foreground = await mountInForeground(library);
  const { daemon } = await library.pids();
  await library.failpoint('fuse.read.before-reply=hang');
  const reader = library.tryShell(`cat "$M/${song}"`);
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > 0,
  );
  process.kill(daemon, 'SIGTERM');
  await eventually('the stop has begun', () => library.log().some(({ event }) => event === 'stopping'));
  const second = performance.now();
  if (isAlive(daemon)) process.kill(daemon, 'SIGTERM');
  await eventually('the daemon is gone', () => !isAlive(daemon), 2_000);
  expect(performance.now() - second).toBeLessThan(2_000);
  expect((await reader).code).toBe(1);
  expect((await reader).stderr).toMatch(/not connected|connection abort/);
  await foreground.end;
  await eventually('the mount is gone', async () => !library.isMounted(), 5_000);
});

test('Ctrl-C in the terminal of a foreground mount reaches the keeper only, and ends everything with 0', async () => {
  const library = newLibrary(twentyFiles);
  const foreground = await mountInForeground(library);
  const { daemon } = await library.pids();
  expect(groupOf(foreground.pid)).toBe(foreground.pid);
  expect(groupOf(daemon)).toBe(daemon);
  process.kill(-foreground.pid, 'SIGINT');
  const { code, stdout } = await foreground.end;
  expect(code).toBe(0);
  expect(stdout).toContain(`mounted ${library.mountPoint}; Ctrl-C unmounts\n`);
  await expectNothingLeft(library);
});

test.each(['umount "$M"', 'fusermount3 -u "$M"', 'umount -l "$M"'])(
  'R-14: %s from outside ends the daemon with 0',
  async (command) => {
    const library = newLibrary(twentyFiles);
    const foreground = await mountInForeground(library);
    await library.shell(command);
    expect((await foreground.end).code).toBe(0);
    await expectNothingLeft(library);
  },
);

test('R-07: when keeper and daemon are killed the next start heals the mount; a sibling is not touched', async () => {
  const sibling = await mountLibrary({ origin: twentyFiles });
  const library = await mountLibrary({ origin: twentyFiles });
  const { daemon, keeper } = await library.pids();
  const before = await library.shell('find $M -printf "%i %P\\n"');
  process.kill(keeper, 'SIGKILL');
  process.kill(daemon, 'SIGKILL');
  await eventually('both are gone', () => !isAlive(keeper) && !isAlive(daemon));
  expect((await library.tryShell('stat $M')).stderr).toContain('Transport endpoint is not connected');
  await library.mount();
  expect(await library.shell('find $M -printf "%i %P\\n"')).toBe(before);
  expect(await library.shell('grep -c " $M " /proc/self/mountinfo')).toBe('1');
  expect(await library.shell(`cmp "$M/${song}" "$O/Artist 0/Album 0/01.flac"`)).toBe('');
  expect(await sibling.shell('find $M -type f | wc -l')).toBe('20');
  expect((await sibling.status()).supervision.restartsTotal).toBe(0);
});

test('R-41: when the keeper alone is killed the mount goes on, with a warning', async () => {
  const library = await mountLibrary({ origin: twentyFiles });
  const { keeper } = await library.pids();
  process.kill(keeper, 'SIGKILL');
  const status = await eventually('the daemon knows', async () => {
    const now = await library.status();
    return now.keptBy === 'none' && now;
  });
  expect(status.state).toBe('degraded');
  expect(status.warnings.join('\n')).toContain('the keeper is gone');
  expect(await library.shell('find $M -type f -print0 | xargs -0 cat | wc -c')).toBe(
    await library.shell('find $O -type f -print0 | xargs -0 cat | wc -c'),
  );
  await library.unmount();
  await expectNothingLeft(library);
});

test('2.11: without allow_other another user gets EACCES at the root; with it, everything', async () => {
  const asNobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
  const closed = await mountLibrary({ origin: twentyFiles });
  await closed.shell('chmod 755 $M/..');
  expect((await closed.tryShell(`${asNobody} ls $M`)).stderr).toContain('Permission denied');
  const open = await mountLibrary({ origin: twentyFiles, args: ['--allow-other'] });
  await open.shell('chmod 755 $M/..');
  expect(await open.shell(`${asNobody} cat "$M/${song}" | wc -c`)).toBe(
    await open.shell('stat -c %s "$O/Artist 0/Album 0/01.flac"'),
  );
});

test('a state disk that is full costs log lines, not the mount', async () => {
  const library = newLibrary(twentyFiles);
  mkdirSync(library.stateDirectory, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=700', 'none', library.stateDirectory]);
  onTestFinished(() => void execFileSync('umount', ['-l', library.stateDirectory]));
  await library.mount();
  await library.tryShell(`dd if=/dev/zero of=${library.stateDirectory}/filler bs=4k status=none`);
  await library.run(['rescan', library.mountPoint, '--wait']);
  await library.run(['rescan', library.mountPoint, '--wait']);
  expect(await library.shell('find $M -type f | wc -l')).toBe('20');
  await library.shell(`rm ${library.stateDirectory}/filler`);
  await library.unmount();
});

test('a mount over the mount point is not taken away by a stop', async () => {
  const library = await mountLibrary({ origin: twentyFiles });
  const { daemon } = await library.pids();
  await library.shell('mount -t tmpfs none $M && touch $M/theirs');
  process.kill(daemon, 'SIGTERM');
  await eventually('the daemon has ended', () => !isAlive(daemon));
  expect(await library.shell('ls $M && umount $M')).toBe('theirs');
});
