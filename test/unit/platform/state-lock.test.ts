import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockState } from '../../../src/platform/state-lock.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const program = path.resolve(import.meta.dirname, '../../fixtures/programs/lock-holder.ts');

/** A process that holds the lock, and the pid of a child it has started. */
async function holder(state: string): Promise<{ process: ChildProcess; childPid: number }> {
  const child = spawn(process.execPath, [program, state, '/mnt/music'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const childPid = Number(said.toString());
  onTestFinished(() => void process.kill(childPid, 'SIGKILL'));
  return { process: child, childPid };
}

test('R-19: a second owner is refused with PID and mount point of the first', async () => {
  const state = temporaryDirectory();
  const { process: first } = await holder(state);
  expect(() => lockState(state, '/mnt/other')).toThrow(
    expect.objectContaining({
      code: 'already_exists',
      message: expect.stringContaining(`PID ${first.pid} (mounted at /mnt/music)`),
    }),
  );
});

test('R-19: the lock is free when its owner is killed, although a child of it lives', async () => {
  const state = temporaryDirectory();
  const { process: first, childPid } = await holder(state);
  first.kill('SIGKILL');
  await once(first, 'exit');
  expect(existsSync(`/proc/${childPid}`)).toBe(true);
  lockState(state, '/mnt/other').release();
});

test('a released lock leaves no file, may be released twice, and can be taken again', () => {
  const state = temporaryDirectory();
  const lock = lockState(state, '/mnt/music');
  expect(() => lockState(state, '/mnt/music')).toThrow(/in use by PID/);
  lock.release();
  lock.release();
  expect(existsSync(path.join(state, 'musicfs.lock'))).toBe(false);
  lockState(state, '/mnt/music').release();
});

test('a state directory that is not there is refused', () => {
  expect(() => lockState('/nonexistent/state', '/mnt/music')).toThrow(
    expect.objectContaining({ code: 'refused' }),
  );
});
