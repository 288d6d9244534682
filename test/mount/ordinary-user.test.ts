// Mounts of a user without any capability: through fusermount3, and through mount.fuse3 as for a line of fstab.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stateDirectoryFor } from '../../src/platform/instance-paths.ts';
import { descriptorsOf } from '../fixtures/descriptors.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type ChildResult, endOf, runLimited, startChild } from '../fixtures/limited-child.ts';
import { type Account, type Library, newLibrary } from '../fixtures/mounted.ts';
import { ReachableTree } from '../fixtures/ordinary-user.ts';
import { isAlive, processesAbout } from '../fixtures/processes.ts';

const nobody = 65534;
const somebodyElse = 64321;
const twentyFiles = (root: string) => writeFlacLibrary(root, { files: 20, albums: 2 });
const song = 'Artist 0/Album 0 (1960) [FLAC]/01 - Title 0.flac';
const songInOrigin = 'Artist 0/Album 0/01.flac';

let tree: ReachableTree;
beforeAll(() => {
  tree = new ReachableTree();
});
afterAll(() => {
  tree.remove();
});

function accountOf(uid: number, extra: Readonly<Record<string, string>> = {}): Account {
  return tree.account(uid, (folder) => ({
    HOME: path.join(folder, 'home'),
    XDG_RUNTIME_DIR: path.join(folder, 'runtime'),
    ...extra,
  }));
}

/** As fstab has it: the environment of the daemon is not the user's, so the socket lies with the state. */
function accountWithoutSession(): Account {
  return tree.account(nobody, (folder) => ({ HOME: path.join(folder, 'home') }));
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

/** Flags of each descriptor on /dev/fuse, octal. */
function fuseDescriptorsOf(pid: number): string[] {
  return descriptorsOf(pid)
    .filter(({ place }) => place === '/dev/fuse')
    .flatMap(({ info }) => /^flags:\s*(\d+)$/m.exec(info)?.[1] ?? []);
}

async function expectPowerless(library: Library): Promise<void> {
  const { daemon, keeper } = await library.pids();
  for (const pid of [daemon, keeper]) {
    expect(statusOf(pid)).toMatch(/^CapEff:\s*0+$/m);
    expect(statusOf(pid)).toMatch(/^CapPrm:\s*0+$/m);
    expect(statusOf(pid)).toMatch(new RegExp(`^Uid:\\s*${nobody}\\s+${nobody}\\s+${nobody}\\s`, 'm'));
    const [flags, ...others] = fuseDescriptorsOf(pid).map((octal) => Number.parseInt(octal, 8));
    expect(others).toEqual([]);
    expect((flags ?? 0) & 0o4000, 'non-blocking').toBe(0o4000);
    expect((flags ?? 0) & 0o2000000, 'close-on-exec').toBe(0o2000000);
  }
}

/** Names, sizes, times, owner and bytes, as the user sees them. */
async function expectWholeLibrary(library: Library): Promise<void> {
  expect(await library.shell('find $M -type f | wc -l')).toBe('20');
  expect(await library.shell(`stat -c '%u %g' $M "$M/${song}"`)).toBe(
    `${nobody} ${nobody}\n${nobody} ${nobody}`,
  );
  expect(await library.shell(`stat -c '%s %Y' "$M/${song}"`)).toBe(
    await library.shell(`stat -c '%s %Y' "$O/${songInOrigin}"`),
  );
  expect(await library.shell(`cmp "$M/${song}" "$O/${songInOrigin}"`)).toBe('');
  const sums = 'xargs -0 sha256sum | cut -c1-64 | sort';
  expect(await library.shell(`find $M -type f -print0 | ${sums}`)).toBe(
    await library.shell(`find $O -type f -print0 | ${sums}`),
  );
}

/** Mount, processes, socket and lock; the catalog and the log stay. */
async function expectNothingLeft(library: Library): Promise<void> {
  await eventually('every process has ended', () => processesAbout(library.folder).length === 0, 10_000);
  expect(library.isMounted()).toBe(false);
  expect(existsSync(library.socketPath)).toBe(false);
  expect(readdirSync(library.stateDirectory).sort()).toEqual(['catalog.db', 'catalog.json', 'musicfsd.log']);
  expect(readdirSync(library.mountPoint)).toEqual([]);
}

function expectOneLine({ stderr }: ChildResult): void {
  expect(stderr).toMatch(/^musicfs: [^\n]+\n$/);
}

test('a user mounts, walks, reads, asks, rescans and unmounts; nothing of it has a capability, nothing is left', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  const started = await library.tryMount(['--wait']);
  expect(started).toMatchObject({ code: 0, stdout: `mounted ${library.mountPoint}\n` });
  await expectPowerless(library);
  await expectWholeLibrary(library);
  const status = await library.run(['status', library.mountPoint, '--json']);
  expect(JSON.parse(status.stdout)).toMatchObject({ state: 'ready', mountPoint: library.mountPoint });
  expect(await library.rescan()).toContain('scanned 20 files');
  expect(await library.shell('grep " $M " /proc/self/mountinfo')).toMatch(
    /ro,nosuid,nodev,noatime .*- fuse\.musicfs musicfs ro,.*default_permissions.*max_read=1048576/,
  );
  expect(await library.run(['unmount', library.mountPoint])).toEqual({ code: 0, stdout: '', stderr: '' });
  await expectNothingLeft(library);
});

/** `mount -a` with one line of fstab. */
function mountAsFstab(library: Library, options: readonly string[]): Promise<ChildResult> {
  const source = `${tree.musicfs}#${library.origin}`;
  const all = [`fsname=${source}`, `state=${library.stateDirectory}`, ...options].join(',');
  const fstab = path.join(library.folder, 'fstab');
  writeFileSync(fstab, `${source} ${library.mountPoint} fuse3 ${all} 0 0\n`);
  return runLimited('mount', ['--all', '--fstab', fstab], {
    limitMs: 30_000,
    mountPoints: [library.mountPoint],
  });
}

test.each(['umount "$M"', 'musicfs unmount'])(
  'a line of fstab is mounted by root, served by the user without any privilege, and ended by %s',
  async (end) => {
    const library = newLibrary(twentyFiles, accountWithoutSession());
    chmodSync(library.folder, 0o755);
    const options = ['ro', `setuid=nobody`, 'drop_privileges', 'allow_other', 'default_permissions'];
    const started = await mountAsFstab(library, options);
    expect(started).toEqual({ code: 0, stdout: `mounted ${library.mountPoint}\n`, stderr: '' });
    expect(await mountAsFstab(library, options), 'a second mount -a').toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    await eventually('the first scan is complete', async () => (await library.status()).scan.complete);
    await expectPowerless(library);
    const { daemon, keeper } = await library.pids();
    for (const pid of [daemon, keeper]) expect(statusOf(pid)).toMatch(/^NoNewPrivs:\s*1$/m);
    await expectWholeLibrary(library);
    const asRoot = await runLimited('cmp', [
      path.join(library.mountPoint, song),
      path.join(library.origin, songInOrigin),
    ]);
    expect(asRoot.code).toBe(0);
    const socket = ['--socket', library.socketPath];
    expect((await library.run(['rescan', ...socket, '--wait'])).code).toBe(0);
    if (end === 'musicfs unmount') {
      expect(await library.run(['unmount', ...socket])).toEqual({ code: 0, stdout: '', stderr: '' });
    } else {
      const { code } = await runLimited('bash', ['-c', end], { env: { M: library.mountPoint } });
      expect(code).toBe(0);
    }
    await expectNothingLeft(library);
  },
);

test('a line of fstab without drop_privileges is mounted through fusermount3', async () => {
  const library = newLibrary(twentyFiles, accountWithoutSession());
  expect((await mountAsFstab(library, ['ro', 'setuid=nobody'])).code).toBe(0);
  await eventually('the first scan is complete', async () => (await library.status()).scan.complete);
  await expectPowerless(library);
  await expectWholeLibrary(library);
  expect((await library.run(['unmount', '--socket', library.socketPath])).code).toBe(0);
  await expectNothingLeft(library);
});

test('a line of fstab that would be writable, or root’s, is refused, and says how to end what mount.fuse3 has left', async () => {
  const library = newLibrary(twentyFiles, accountWithoutSession());
  const writable = await mountAsFstab(library, ['setuid=nobody', 'drop_privileges']);
  expect(writable.code, 'what mount -a says of any failure').toBe(32);
  expect(writable.stderr).toMatch(/^musicfs: .*add ro to the options in fstab; then: sudo umount .*\n$/);
  execFileSync('umount', [library.mountPoint]);
  const asRoot = await mountAsFstab(library, ['ro', 'drop_privileges']);
  expect(asRoot.code).toBe(32);
  expect(asRoot.stderr).toMatch(/^musicfs: .*add setuid=USER to the options in fstab; then: .*\n$/);
  execFileSync('umount', [library.mountPoint]);
  execFileSync('rm', ['-r', library.origin]);
  const missing = await mountAsFstab(library, ['ro', 'setuid=nobody', 'drop_privileges']);
  expect(missing.code).toBe(32);
  expect(missing.stderr).toMatch(/^musicfs: origin .* does not exist.*; then: sudo umount .*\/mount\n$/);
  expect(processesAbout(library.folder)).toEqual([]);
});

test('R-07: when daemon and keeper of a user are killed the mount is dead, and the next start heals it', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  await library.mount();
  const { daemon, keeper } = await library.pids();
  process.kill(keeper, 'SIGKILL');
  process.kill(daemon, 'SIGKILL');
  await eventually('both are gone', () => !isAlive(keeper) && !isAlive(daemon));
  expect((await library.tryShell('stat $M')).stderr).toMatch(/not connected|connection abort/);
  await library.mount();
  expect(await library.shell('grep -c " $M " /proc/self/mountinfo')).toBe('1');
  await expectWholeLibrary(library);
  await library.unmount();
  expect(library.isMounted()).toBe(false);
});

test('a stop of a user’s mount while a file is open frees the path at once', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  await library.mount();
  const [program, args] = library.command(['bash', '-c', 'exec 3< "$FILE"; echo open; read line']);
  const reader = startChild(program, args, { env: { FILE: path.join(library.mountPoint, song) } });
  const readerEnd = endOf(reader, 'an open file', { mountPoints: [library.mountPoint] });
  await once(reader.stdout ?? reader, 'data');
  await library.unmount();
  await expectNothingLeft(library);
  expect(library.log().map(({ event }) => event)).toContain('unmounted_lazily');
  reader.stdin?.end();
  await readerEnd;
});

test('Ctrl-C ends a user’s foreground mount with 0 and leaves nothing', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  const mount = ['mount', ...library.mountArguments(['--foreground', '--wait'])];
  const [program, args] = library.command([tree.musicfs, ...mount]);
  const child = startChild(program, args, library);
  const end = endOf(child, 'mount --foreground', { limitMs: 30_000, mountPoints: [library.mountPoint] });
  await eventually('the mount stands', async () => (await library.status()).scan.complete);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect((await end).code).toBe(0);
  await expectNothingLeft(library);
});

test('without a runtime folder state and socket lie in the home, and commands find them there', async () => {
  const library = newLibrary(twentyFiles, accountWithoutSession());
  mkdirSync(path.join(library.folder, 'home'));
  chownSync(path.join(library.folder, 'home'), nobody, nobody);
  const mounted = await library.run(['mount', library.mountPoint, '--origin', library.origin, '--wait']);
  expect(mounted.code).toBe(0);
  const status = await library.run(['status', library.mountPoint, '--json']);
  const state = stateDirectoryFor(library.mountPoint, library.env, nobody);
  expect(state.startsWith(path.join(library.folder, 'home/.local/state/musicfs/'))).toBe(true);
  expect(JSON.parse(status.stdout)).toMatchObject({ stateDirectory: state });
  expect((await library.run(['unmount', library.mountPoint])).code).toBe(0);
  expect(readdirSync(state).sort()).toEqual(['catalog.db', 'catalog.json', 'musicfsd.log']);
});

test('without a home a user is told to name a state directory', async () => {
  const library = newLibrary(
    twentyFiles,
    tree.account(nobody, () => ({})),
  );
  const refused = await library.run(['mount', library.mountPoint, '--origin', library.origin]);
  expectOneLine(refused);
  expect(refused.stderr).toContain('neither HOME nor XDG_STATE_HOME is set: pass --state DIR');
  expect(refused.code).toBe(1);
  expect(library.isMounted()).toBe(false);
});

/** Runs a line of bash as root in mount namespaces of its own, where /etc/fuse.conf has this text. */
function withFuseConfig(library: Library, config: string, script: string): Promise<ChildResult> {
  const file = path.join(library.folder, 'fuse.conf');
  writeFileSync(file, config);
  const [first, rest] = library.command([tree.musicfs]);
  return runLimited(
    'unshare',
    ['--mount', 'bash', '-c', `touch /etc/fuse.conf && mount --bind ${file} /etc/fuse.conf && ${script}`],
    {
      limitMs: 30_000,
      env: {
        ...library.env,
        M: library.mountPoint,
        MUSICFS: [first, ...rest].join(' '),
        MOUNT: ['mount', ...library.mountArguments(['--allow-other', '--wait'])].join(' '),
      },
    },
  );
}

test('letting others in is refused before anything is mounted, unless /etc/fuse.conf lets users', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  const refused = await withFuseConfig(library, '#user_allow_other\n', '$MUSICFS $MOUNT; exit $?');
  expectOneLine(refused);
  expect(refused.stderr).toContain('echo user_allow_other | sudo tee -a /etc/fuse.conf');
  expect(refused.code).toBe(1);
  expect(processesAbout(library.folder)).toEqual([]);
  const allowed = await withFuseConfig(
    library,
    'user_allow_other\n',
    '$MUSICFS $MOUNT && find $M -type f | wc -l && $MUSICFS unmount $M',
  );
  expect(allowed).toMatchObject({ code: 0, stdout: `mounted ${library.mountPoint}\n20\n` });
});

test('a mount point of another owner is refused, with what to do about it', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  chownSync(library.mountPoint, 0, 0);
  const refused = await library.tryMount();
  expectOneLine(refused);
  expect(refused.stderr).toMatch(
    /is not yours \(it belongs to uid 0\): sudo chown 65534 .*\/mount, or choose/,
  );
  expect(refused.code).toBe(1);
  expect(library.isMounted()).toBe(false);
  expect(processesAbout(library.folder)).toEqual([]);
});

test('a daemon that refuses to start leaves a user no mount', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  execFileSync('rm', ['-r', library.origin]);
  const refused = await library.tryMount();
  expectOneLine(refused);
  expect(refused.stderr).toContain(`origin ${library.origin} does not exist`);
  expect(refused.code).toBe(1);
  expect(library.isMounted()).toBe(false);
  expect(processesAbout(library.folder)).toEqual([]);
});

test('a mount of another user is neither mounted over, nor healed, nor unmounted', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  await library.mount();
  chmodSync(library.folder, 0o755);
  const other = newLibrary(twentyFiles, accountOf(somebodyElse));
  const [, ...others] = other.mountArguments();
  const over = await other.run(['mount', library.mountPoint, ...others]);
  expectOneLine(over);
  expect(over.stderr).toContain(
    `is mounted by musicfs already, as uid ${nobody}: choose another mount point`,
  );
  expect(over.code).toBe(1);
  const unmounted = await other.run(['unmount', library.mountPoint]);
  expectOneLine(unmounted);
  expect(unmounted.stderr).toContain(`was mounted by uid ${nobody}: sudo umount ${library.mountPoint}`);
  const doctor = await other.run(['doctor']);
  expect(doctor.stdout).toContain(`${library.mountPoint} belongs to another user`);
  await expectWholeLibrary(library);
});

/** A folder for PATH with what bin/musicfs itself runs, and these programs. */
function pathWith(library: Library, programs: Readonly<Record<string, string>>): string {
  const folder = path.join(library.folder, 'programs');
  mkdirSync(folder);
  for (const [name, target] of Object.entries({ dirname: '/usr/bin/dirname', ...programs })) {
    symlinkSync(target, path.join(folder, name));
  }
  return folder;
}

test('with the fusermount of libfuse 2 alone a user mounts and unmounts through that', async () => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  const env = { PATH: pathWith(library, { fusermount: '/usr/bin/fusermount3' }) };
  const run = (args: readonly string[]) => library.run(args, { env, limitMs: 30_000 });
  const mounted = await run(['mount', ...library.mountArguments(['--wait'])]);
  expect(mounted.code).toBe(0);
  await expectWholeLibrary(library);
  expect(await run(['unmount', library.mountPoint])).toMatchObject({ code: 0, stderr: '' });
  await expectNothingLeft(library);
});

interface MissingRight {
  readonly what: string;
  readonly says: RegExp;
  readonly ask: (library: Library) => Promise<ChildResult>;
}

const missingRights: readonly MissingRight[] = [
  {
    what: 'no fusermount3',
    says: /fusermount3, which is missing: apt-get install fuse3\n$/,
    ask: (library) =>
      library.run(['mount', ...library.mountArguments()], { env: { PATH: pathWith(library, {}) } }),
  },
  {
    what: 'a fusermount3 that is not setuid',
    says: /cannot mount on .*fusermount3 has lost its setuid bit: apt-get install --reinstall fuse3\n$/,
    ask: (library) => {
      const copy = path.join(library.folder, 'fusermount3');
      copyFileSync('/usr/bin/fusermount3', copy);
      chmodSync(copy, 0o755);
      const env = { PATH: pathWith(library, { fusermount3: copy }) };
      return library.run(['mount', ...library.mountArguments()], { env });
    },
  },
  {
    what: 'no_new_privs',
    says: /cannot mount on .*Operation not permitted.*no_new_privs is set.*NoNewPrivileges=no\)\n$/,
    ask: (library) => {
      const mount = [tree.musicfs, 'mount', ...library.mountArguments()];
      const [program, args] = library.command(['/usr/bin/setpriv', '--no-new-privs', ...mount]);
      return runLimited(program, args, { limitMs: 20_000, env: library.env });
    },
  },
];

test.each(missingRights)('with $what a user is told what to do, in one line', async ({ says, ask }) => {
  const library = newLibrary(twentyFiles, accountOf(nobody));
  const refused = await ask(library);
  expectOneLine(refused);
  expect(refused.stderr).toMatch(says);
  expect(refused.code).toBe(1);
  expect(library.isMounted()).toBe(false);
  expect(processesAbout(library.folder)).toEqual([]);
});
