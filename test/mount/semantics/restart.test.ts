// Section 11 of docs/SEMANTICS.md: what a reader notices when the daemon ends and another one goes on. The chaos tests do
// the same hundreds of times; see docs/CHAOS.md.
import path from 'node:path';
import { expect, test } from 'vitest';
import { CheckedReaders } from '../../fixtures/checked-readers.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { writeFlacLibrary } from '../../fixtures/flac-library.ts';
import { type Library, mountLibrary } from '../../fixtures/mounted.ts';
import { isAlive, processesAbout } from '../../fixtures/processes.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';

const filesInAll = 20;
const aLibrary = (root: string) => writeFlacLibrary(root, { files: filesInAll, albums: 2 });
const album = 'Artist 0/Album 0 (1960) [FLAC]';
const song = `${album}/01 - Title 0.flac`;
const other = `${album}/02 - Title 2.flac`;
const direct = (file: string) =>
  `dd if="$M/${file}" iflag=direct bs=64k status=none | sha256sum | cut -d" " -f1`;
const original = (number: number) => `sha256sum < "$O/Artist 0/Album 0/0${number}.flac" | cut -d" " -f1`;

async function holding(library: Library, file: string): Promise<TalkingChild> {
  const child = new TalkingChild(library.mountPoint, 'held-open', [path.join(library.mountPoint, file)]);
  await child.ask('');
  return child;
}

/** Mounts the library again, with these failpoints armed in each life of its daemon. */
async function mountAgain(library: Library, settings: readonly string[]): Promise<void> {
  await library.unmount();
  await library.mount({ args: settings.flatMap((setting) => ['--failpoint', setting]), wait: false });
}

test('11.1: when the daemon is killed or restarted, open files, listings and mappings go on', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const readers = await CheckedReaders.over(library, filesInAll);
  const held = await holding(library, song);
  const { daemon } = await library.pids();
  process.kill(daemon, 'SIGKILL');
  await eventually('the next life takes calls', async () => (await library.status()).pid !== daemon);
  expect((await library.run(['restart', library.mountPoint])).stderr).toBe('');
  await readers.readAllOnce();
  await readers.stop();
  expect(readers.errors).toEqual([]);
  expect(await held.ask('hash')).toEqual([await library.shell(original(1))]);
}, 60_000);

test('11.2: while no daemon lives, what the kernel has is read on', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  // Not ls -l: it asks for extended attributes, which the kernel does not keep.
  const look = `ls -1 "$M/${album}" && stat -c %s "$M/${song}"`;
  // A scan that has just ended may still have a word for the kernel, which then asks once more.
  const asked = async () => {
    const { lookup, getattr, readdir, readdirplus } = (await library.status()).fuse.requests;
    return JSON.stringify([lookup, getattr, readdir, readdirplus]);
  };
  await eventually('the kernel has it', async () => {
    const before = await asked();
    await library.shell(look);
    return (await asked()) === before;
  });
  const held = await holding(library, song);
  const [hash] = await held.ask<string[]>('hash');
  const { daemon, keeper } = await library.pids();
  process.kill(keeper, 'SIGSTOP'); // no new life yet
  process.kill(daemon, 'SIGKILL');
  await eventually('the daemon is gone', () => !isAlive(daemon));
  expect((await library.tryShell(look, { limitMs: 15_000 })).code).toBe(0);
  expect(await held.ask('hash', 3_000)).toEqual([hash]);
  process.kill(keeper, 'SIGCONT');
  await eventually('the next life takes calls', async () => (await library.status()).pid !== daemon);
});

test('11.3: on a kernel that sends nothing twice a death costs the open files, and the mount comes back by itself', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  await mountAgain(library, ['fuse.init.resend=deny']);
  const before = await eventually('the daemon takes calls', () => library.status());
  expect(before.session.resend).toBe(false);
  const held = new TalkingChild(library.mountPoint, 'held-open', [path.join(library.mountPoint, song)]);
  await held.ask('');
  await library.failpoint('fuse.read.before-reply=hang');
  const reading = library.tryShell(direct(other), { limitMs: 20_000 });
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > 0,
  );
  process.kill(before.pid, 'SIGKILL');
  expect((await reading).stderr).toMatch(/connection abort|not connected/);
  await eventually('new opens work', async () => (await library.tryShell(`cat "$M/${song}"`)).code === 0);
  expect(await library.shell('grep -c " $M " /proc/self/mountinfo')).toBe('1');
  const after = await eventually('the daemon takes calls', () => library.status());
  expect([after.pid === before.pid, after.incarnation, after.session.adopted]).toEqual([false, 1, false]);
  expect(library.log().some(({ event }) => event === 'mounting_anew')).toBe(true);
});

test('11.3: on such a kernel a planned restart still loses nothing: reads are answered before it', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  await mountAgain(library, ['fuse.init.resend=deny', 'origin.read.body=delay(1500)']);
  const before = await eventually('the daemon takes calls', () => library.status());
  const held = new TalkingChild(library.mountPoint, 'held-open', [path.join(library.mountPoint, song)]);
  await held.ask('');
  const device = await library.shell('stat -c %d $M');
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  const reading = library.tryShell(direct(other), { limitMs: 20_000 });
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > 0,
  );
  const restarted = await library.run(['restart', library.mountPoint]);
  expect([restarted.code, restarted.stderr]).toEqual([0, '']);
  const { code, stdout } = await reading;
  expect(code).toBe(0);
  expect(stdout.trim()).toBe(await library.shell(original(2)));
  expect(await library.shell('stat -c %d $M')).toBe(device);
  expect(await held.ask('hash', 20_000)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  const after = await library.status();
  expect([after.pid === before.pid, after.incarnation]).toEqual([false, 2]);
}, 60_000);

test('11.4: an unmount lets reads end first, with their bytes, and leaves nothing', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  await library.failpoint('origin.read.body=delay(2000)');
  const reading = library.tryShell(direct(other), { limitMs: 20_000 });
  await eventually(
    'the read has come',
    async () => ((await library.status()).fuse.requests['read'] ?? 0) > 0,
  );
  expect((await library.run(['unmount', library.mountPoint])).stderr).toBe('');
  const { code, stdout } = await reading;
  expect([code, stdout.trim()]).toEqual([0, await library.shell(original(2))]);
  expect(library.isMounted()).toBe(false);
  await eventually('nothing runs', () => processesAbout(library.folder).length === 0);
});

test('11.5: a restart changes no inode, no name, no time and no size', async () => {
  const library = await mountLibrary({ origin: aLibrary });
  const tree = "cd $M && find . -printf '%i %y %P %s %T@ %C@ %n\\n' | sort";
  const before = await library.shell(tree);
  expect((await library.run(['restart', library.mountPoint])).stderr).toBe('');
  await library.shell('echo 3 > /proc/sys/vm/drop_caches');
  expect(await library.shell(tree)).toBe(before);
});
