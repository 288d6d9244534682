// The process of the daemon may end in any way; its mount goes on, and readers notice a pause at most.
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { agedFiles, agedOrigin, agedShownAs } from '../fixtures/aged-origins.ts';
import { CheckedReaders } from '../fixtures/checked-readers.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../fixtures/mounted.ts';
import { isAlive } from '../fixtures/processes.ts';
import { TalkingChild } from '../fixtures/talking-child.ts';

const ownTree = path.resolve(import.meta.dirname, '../..');
const filesInAll = 60;
const aLibrary = (root: string) => writeFlacLibrary(root, { files: filesInAll, albums: 6 });
const song = 'Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac';

/** Another daemon than that one answers. */
function nextLife(library: Library, before: number): Promise<number> {
  return eventually(
    'the next life answers',
    async () => {
      const { pid } = await library.status().catch(() => ({ pid: before }));
      return pid !== before && (await library.pids()).daemon;
    },
    15_000,
  );
}

describe('under eight readers', () => {
  let library: Library;
  let readers: CheckedReaders;
  let daemon: number;
  let keeper: number;
  let device: string;

  beforeEach(async () => {
    library = await mountLibrary({ origin: aLibrary });
    readers = await CheckedReaders.over(library, filesInAll);
    ({ daemon, keeper } = await library.pids());
    device = await library.shell('stat -c %d $M');
  });

  afterEach(() => readers.stop());

  async function expectSameMount(): Promise<void> {
    await readers.readAllOnce();
    expect(readers.errors).toEqual([]);
    expect(await library.shell('stat -c %d $M')).toBe(device);
    expect((await library.pids()).keeper).toBe(keeper);
    expect(isAlive(daemon)).toBe(false);
  }

  test.each([
    { signal: 'SIGKILL', why: 'killed' },
    { signal: 'SIGSEGV', why: 'a fault of the program' },
    { signal: 'SIGABRT', why: 'a daemon that gave itself up' },
  ] as const)(
    'R-02: $signal ($why) of the daemon is a pause',
    async ({ signal }) => {
      process.kill(daemon, signal);
      await nextLife(library, daemon);
      await expectSameMount();
      expect(await library.status()).toMatchObject({
        incarnation: 2,
        keptBy: 'keeper',
        files: filesInAll,
        session: { adopted: true, resend: true },
      });
      const told = library.log().find(({ event }) => event === 'daemon_died');
      expect(told).toMatchObject({ component: 'keeper', daemon, signal, delayMs: 0 });
    },
    60_000,
  );

  test('as often as it is killed, whenever that is', async () => {
    for (let kill = 0, last = daemon; kill < 8; kill += 1) {
      process.kill(last, 'SIGKILL');
      last = await nextLife(library, last);
    }
    await expectSameMount();
    expect((await library.status()).incarnation).toBe(9);
  }, 60_000);

  test('R-17: musicfs restart reads the configuration anew and keeps the mount', async () => {
    const { code, stdout, stderr } = await library.run(['restart', library.mountPoint]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/life 2 \(pid \d+\) has taken over/);
    await expectSameMount();
    expect(library.log().find(({ event }) => event === 'stopped')).toMatchObject({ exitCode: 75 });
  }, 60_000);

  test('R-17: musicfs upgrade lets the daemon of another tree take over', async () => {
    const other = path.join(library.folder, 'other tree');
    copyTree(other);
    const { code, stdout, stderr } = await library.run(['upgrade', library.mountPoint], {}, other);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('version 0.1.0 → 99.0.0');
    await expectSameMount();
    const { program, version } = await library.status();
    expect({ program, version }).toEqual({ program: other, version: '99.0.0' });
  }, 60_000);

  test('R-17: an upgrade to a tree that does not work leaves the old program in charge', async () => {
    const other = path.join(library.folder, 'broken');
    copyTree(other);
    writeFileSync(path.join(other, 'src/app/daemon.ts'), 'throw new Error("broken");\n');
    const { code, stderr } = await library.run(['upgrade', library.mountPoint], {}, other);
    expect(code).toBe(5);
    expect(stderr).toContain('did not come up, and the one before goes on');
    await expectSameMount();
    expect((await library.status()).program).toBe(ownTree);
  }, 60_000);
});

/** The tree as another checkout would be, of a version of its own. */
function copyTree(to: string): void {
  for (const part of ['src', 'bin', 'proto', 'package.json']) {
    cpSync(path.join(ownTree, part), path.join(to, part), { recursive: true });
  }
  symlinkSync(path.join(ownTree, 'node_modules'), path.join(to, 'node_modules'));
  const file = path.join(to, 'package.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"version": "0.1.0"', '"version": "99.0.0"'));
}

test('R-01: a second signal to the keeper ends a daemon that does not obey, and the mount', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon, keeper } = await library.pids();
  process.kill(daemon, 'SIGSTOP');
  process.kill(keeper, 'SIGTERM');
  process.kill(keeper, 'SIGINT'); // another one, as the same may arrive once
  await eventually('both are gone', () => !isAlive(daemon) && !isAlive(keeper));
  expect(library.isMounted()).toBe(false);
});

test('R-11: a daemon that hangs is ended by its keeper, and a reader started before goes on', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon } = await library.pids();
  process.kill(daemon, 'SIGSTOP');
  const stoppedAtMs = Date.now();
  const reading = library.shell(
    `dd if="$M/${song}" iflag=direct bs=4k status=none | cmp - "$O/Artist 0/Album 0/01.flac"`,
    {
      limitMs: 50_000,
    },
  );
  await eventually('the daemon is ended', () => !isAlive(daemon), 40_000);
  expect(Date.now() - stoppedAtMs).toBeGreaterThan(15_000);
  expect(await reading).toBe('');
  expect(library.log().find(({ event }) => event === 'daemon_silent')).toMatchObject({ daemon });
}, 60_000);

test('R-14: an aborted connection is followed by a new mount', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const child = new TalkingChild(library.mountPoint, 'held-open', [path.join(library.mountPoint, song)]);
  await child.ask('');
  const { daemon } = await library.pids();
  await library.tryShell('umount -f $M'); // says that it is busy, and aborts
  const abortedAtMs = Date.now();
  await eventually(
    'new opens work',
    async () => (await library.tryShell(`cmp "$M/${song}" "$O/Artist 0/Album 0/01.flac"`)).code === 0,
  );
  expect(Date.now() - abortedAtMs).toBeLessThan(5_000);
  await nextLife(library, daemon);
  expect((await library.status()).incarnation).toBe(1);
  expect(await library.shell('grep -c " $M " /proc/self/mountinfo')).toBe('1');
});

test('R-41: keeper and then daemon are killed: readers get an error, and the next start heals the mount', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon, keeper } = await library.pids();
  process.kill(keeper, 'SIGKILL');
  await eventually('the daemon knows', async () => (await library.status()).keptBy === 'none');
  expect(await library.shell(`cmp "$M/${song}" "$O/Artist 0/Album 0/01.flac"`)).toBe('');
  const refused = await library.run(['restart', library.mountPoint]);
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('nobody keeps the mount')]);
  process.kill(daemon, 'SIGKILL');
  await eventually('it is gone', () => !isAlive(daemon));
  expect((await library.tryShell('stat $M')).stderr).toContain('Transport endpoint is not connected');
  await library.mount();
  expect(await library.shell('find $M -type f | wc -l')).toBe(String(filesInAll));
});

test('R-51: a file that the kernel reads itself is read on without a daemon, and opened again by the next', async () => {
  vi.setConfig({ testTimeout: 120_000 });
  const library = await mountLibrary({ origin: await agedOrigin('killed') });
  const file = path.join(library.mountPoint, agedShownAs(1));
  const bytes = agedFiles['1.flac'] ?? Buffer.alloc(0);
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256').update(bytes).digest('hex');
  // A disk that is slow to open the file (limits.passthroughOpenMs) leaves it to the daemon, until all have closed it.
  let before = new TalkingChild(library.mountPoint, 'held-open', [file]);
  await eventually('the kernel reads it', async () => {
    await before.ask('');
    if ((await library.status()).fuse.passthroughOpens > 0) return true;
    await before.end();
    before = new TalkingChild(library.mountPoint, 'held-open', [file]);
    return false;
  });
  const { daemon, keeper } = await library.pids();
  process.kill(keeper, 'SIGSTOP'); // no new life yet
  process.kill(daemon, 'SIGKILL');
  await eventually('the daemon is gone', () => !isAlive(daemon));
  expect(await before.ask('hash')).toEqual([hash]);
  process.kill(keeper, 'SIGCONT');
  await nextLife(library, daemon);
  const after = new TalkingChild(library.mountPoint, 'held-open', [file]);
  await after.ask('');
  expect(await after.ask('hash')).toEqual([hash]);
  expect((await library.status()).session.openHandles).toBe(2);
  expect((await library.status()).fuse.requests['read'] ?? 0).toBe(0);
  for (const child of [before, after]) await child.end();
  await eventually('both are closed', async () => (await library.status()).session.openHandles === 0);
}, 120_000);

test('what is open on the special files, and what is asked of them, bears a kill', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const child = new TalkingChild(library.mountPoint, 'held-open', [
    path.join(library.mountPoint, '.musicfs/status'),
  ]);
  await child.ask('');
  const { daemon } = await library.pids();
  process.kill(daemon, 'SIGKILL');
  await nextLife(library, daemon);
  expect(await child.ask('hash')).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test('what a mount was settled to be is what its next life serves, whatever the configuration says now', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const file = path.join(library.folder, 'musicfs.toml');
  writeFileSync(file, `[mount]\npoint = "${library.mountPoint}"\n[[origins]]\npath = "${library.origin}"\n`);
  await library.unmount();
  const started = await library.run(['mount', '--config', file, '--state', library.stateDirectory]);
  expect([started.code, started.stderr]).toEqual([0, '']);
  const { daemon } = await eventually('the daemon takes calls', () => library.pids());
  writeFileSync(file, 'nonsense = 1\n');
  process.kill(daemon, 'SIGKILL');
  const next = await nextLife(library, daemon);
  expect(await library.shell('find $M -type f | wc -l')).toBe(String(filesInAll));
  const refused = await library.run(['restart', library.mountPoint]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('nonsense');
  expect((await library.pids()).daemon).toBe(next);
  process.kill(next, 'SIGHUP');
  await eventually('the refusal is logged', () =>
    library.log().some(({ event }) => event === 'config_refused'),
  );
});

test('R-16: SIGHUP applies what can change at once and names what cannot, under readers', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const file = path.join(library.folder, 'musicfs.toml');
  const config = (level: string, passthrough: string, allowOther: boolean) =>
    `[mount]\npoint = "${library.mountPoint}"\nallow_other = ${allowOther}\n[fuse]\npassthrough = "${passthrough}"\n[log]\nlevel = "${level}"\n[[origins]]\npath = "${library.origin}"\n`;
  await library.unmount();
  writeFileSync(file, config('info', 'auto', false));
  const started = await library.run(['mount', '--config', file, '--state', library.stateDirectory]);
  expect([started.code, started.stderr]).toEqual([0, '']);
  const { daemon } = await eventually('the daemon takes calls', () => library.pids());
  const readers = await CheckedReaders.over(library, filesInAll);
  writeFileSync(file, config('debug', 'never', true));
  for (let reload = 1; reload <= 20; reload += 1) {
    process.kill(daemon, 'SIGHUP');
    await eventually(
      'it is read',
      () => library.log().filter(({ event }) => event === 'config_reloaded').length === reload,
    );
  }
  await readers.readAllOnce();
  await readers.stop();
  expect(readers.errors).toEqual([]);
  const [first] = library.log().filter(({ event }) => event === 'config_reloaded');
  expect(first).toMatchObject({
    applied: ['logLevel'],
    needsRestart: ['passthrough'],
    needsRemount: ['allowOther'],
  });
  expect((await library.run(['rescan', library.mountPoint, '--origin', 'nowhere'])).code).toBe(4);
  expect(library.log().find(({ level }) => level === 20)).toMatchObject({ event: 'control_call_failed' });
  expect((await library.pids()).daemon).toBe(daemon);
}, 60_000);

test('SIGUSR1 looks for changes, SIGUSR2 writes how things are to the log, SIGPIPE is nothing', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const { daemon } = await library.pids();
  const scans = () => library.log().filter(({ event }) => event === 'scan_ended').length;
  const before = scans();
  for (const signal of ['SIGPIPE', 'SIGUSR2', 'SIGUSR1'] as const) process.kill(daemon, signal);
  await eventually('it was looked', () => scans() > before);
  const dump = await eventually('it is written', () => library.log().find(({ event }) => event === 'status'));
  expect(dump).toMatchObject({ status: { files: filesInAll, pid: daemon }, supervision: { id: 'root' } });
  expect((await library.pids()).daemon).toBe(daemon);
});
