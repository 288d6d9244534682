// Descriptors that a service manager kept, as a service finds them at its start: in a process of its own, as their
// numbers are fixed.
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { endOf } from '../../fixtures/limited-child.ts';
import { programArguments } from '../../fixtures/mounted.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

interface Taken {
  readonly taken: readonly {
    readonly name: string;
    readonly fd: number;
    readonly inode: number;
    readonly isPassedOn: boolean;
  }[];
  readonly open: readonly number[];
  readonly left: readonly string[];
}

/** Three open files, as 3, 4 and 5 of the service, and their inode numbers. */
async function taken(env: Record<string, string>): Promise<Taken & { inodes: readonly number[] }> {
  const folder = temporaryDirectory();
  const fds = ['a', 'b', 'c'].map((name) => {
    writeFileSync(path.join(folder, name), name);
    return openSync(path.join(folder, name), 'r');
  });
  onTestFinished(() => fds.forEach(closeSync));
  const child = spawn(process.execPath, programArguments('take-descriptors', ['3', '4', '5']), {
    env: { ...env, NOTIFY_SOCKET: '/nobody', WATCHDOG_USEC: '1', WATCHDOG_PID: '1' },
    stdio: ['pipe', 'pipe', 'pipe', ...fds],
  });
  const { code, stdout, stderr } = await endOf(child, 'take-descriptors');
  if (code !== 0) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Taken), inodes: fds.map((fd) => fstatSync(fd).ino) };
}

it('R-10: what the manager kept is found by name and passed on to no child', async () => {
  const { inodes, ...found } = await taken({
    LISTEN_PID: 'self',
    LISTEN_FDS: '3',
    LISTEN_FDNAMES: 'musicfs-fuse:musicfs-open-nodes:stored',
  });
  expect(found.taken).toEqual([
    { name: 'musicfs-fuse', fd: 3, inode: inodes[0], isPassedOn: false },
    { name: 'musicfs-open-nodes', fd: 4, inode: inodes[1], isPassedOn: false },
    { name: 'stored', fd: 5, inode: inodes[2], isPassedOn: false },
  ]);
  expect(found.left).toEqual([]);
});

it('R-10: of several with one name the first is kept, the others are closed', async () => {
  const { inodes, ...found } = await taken({
    LISTEN_PID: 'self',
    LISTEN_FDS: '3',
    LISTEN_FDNAMES: 'musicfs-fuse:musicfs-fuse:musicfs-fuse',
  });
  expect(found.taken).toEqual([{ name: 'musicfs-fuse', fd: 3, inode: inodes[0], isPassedOn: false }]);
  expect(found.open).toEqual([3]);
});

it('R-10: what was meant for another process is left alone', async () => {
  const found = await taken({ LISTEN_PID: '1', LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b:c' });
  expect(found.taken).toEqual([]);
  expect(found.open).toEqual([3, 4, 5]);
  expect(found.left).toEqual([]);
});

it('R-10: a count that is none, or higher than what is open, is no failure', async () => {
  const none = await taken({ LISTEN_PID: 'self', LISTEN_FDS: 'many', LISTEN_FDNAMES: 'a' });
  expect(none.taken).toEqual([]);
  const few = await taken({ LISTEN_PID: 'self', LISTEN_FDS: '3' });
  expect(few.taken).toMatchObject([{ name: '', fd: 3 }]);
});
