import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createEventfd,
  drainEventfd,
  errnoName,
  openBeneathAsync,
  openBeneathCached,
  PollSet,
  preadAsync,
  readInto,
  signalEventfd,
  Vector,
} from '../../../src/platform/native.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { MessageSocket } from '../../fixtures/message-socket.ts';
import { isAlive } from '../../fixtures/processes.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const { ENOENT, EXDEV, EAGAIN, EBADF, ENOTDIR } = constants.errno;
const closed = 1_000_000; // no such descriptor

/** A folder with a file, and links that lead in and out of it. */
function folder() {
  const directory = temporaryDirectory();
  const root = path.join(directory, 'root');
  mkdirSync(path.join(root, 'in'), { recursive: true });
  writeFileSync(path.join(root, 'in/file'), 'content');
  writeFileSync(path.join(directory, 'secret'), 'secret');
  symlinkSync('in/file', path.join(root, 'inside'));
  symlinkSync('../secret', path.join(root, 'outside'));
  symlinkSync(path.join(root, 'in/file'), path.join(root, 'absolute'));
  symlinkSync('..', path.join(root, 'in/up'));
  const rootFd = openSync(root, 'r');
  onTestFinished(() => closeSync(rootFd));
  return { rootFd };
}

describe('a path below a folder', () => {
  it.each([
    ['in/file', 'opened'],
    ['inside', 'opened'],
    ['in/up/in/file', 'opened'],
    ['outside', -EXDEV],
    ['absolute', -EXDEV],
    ['../secret', -EXDEV],
    ['in/up/../secret', -EXDEV],
    ['in/nothing', -ENOENT],
    ['in/file/x', -ENOTDIR],
  ])('%s is %s', async (name, expected) => {
    const { rootFd } = folder();
    const fds = [
      await openBeneathAsync(rootFd, Buffer.from(name), 0),
      openBeneathCached(rootFd, Buffer.from(name), 0),
    ];
    for (const fd of fds) {
      // From memory alone the answer may also be that a disk must be asked.
      if (fd < 0) expect([expected, -EAGAIN]).toContain(fd);
      else expect(expected).toBe('opened');
      if (fd < 0) continue;
      const text = Buffer.alloc(20);
      expect(text.subarray(0, readSync(fd, text)).toString()).toBe('content');
      closeSync(fd);
    }
    expect(fds[0]).toSatisfy((fd) => (expected === 'opened' ? Number(fd) >= 0 : fd === expected));
  });
});

describe('an errno', () => {
  it('comes back from calls on the pool as from those on this thread', async () => {
    const area = Buffer.alloc(8);
    expect(readInto(closed, area)).toBe(-EBADF);
    const results = await Promise.all([
      preadAsync(closed, area, 8, 0),
      openBeneathAsync(closed, Buffer.from('x'), 0),
    ]);
    expect(results).toEqual([-EBADF, -EBADF]);
  });

  it('has the first of its names, and a made-up one when it has none', () => {
    expect(errnoName(EAGAIN)).toBe('EAGAIN');
    expect(errnoName(ENOENT)).toBe('ENOENT');
    expect(errnoName(4000)).toBe('E4000');
  });
});

describe('a wake-up', () => {
  it('is seen by whoever polls it, once', async () => {
    const fd = createEventfd();
    onTestFinished(() => closeSync(fd));
    const set = new PollSet([fd]);
    expect([set.wait(0), set.revents(0)]).toEqual([0, 0]);
    signalEventfd(fd);
    signalEventfd(fd);
    expect(set.wait(0)).toBe(1);
    expect(set.revents(0)).toBe(1);
    expect(await set.waitAsync(1000)).toBe(1);
    drainEventfd(fd);
    expect(set.wait(0)).toBe(0);
    drainEventfd(fd); // empty: does not block
  });

  it('reaches a poll that already sleeps on the pool', async () => {
    const fd = createEventfd();
    onTestFinished(() => closeSync(fd));
    const sleeping = new PollSet([fd]).waitAsync(10_000);
    signalEventfd(fd);
    expect(await sleeping).toBe(1);
  });
});

describe('a vector', () => {
  it('writes a head and a part of a body as one message', () => {
    const socket = new MessageSocket();
    const vector = new Vector();
    const [head, body] = [Buffer.from('head....'), Buffer.from('0123456789')];
    expect(vector.write(socket.deviceFd, head, 4, body, 3, 5)).toBe(9);
    expect(vector.write(socket.deviceFd, head, 4)).toBe(4);
    expect(vector.write(socket.deviceFd, head, 4, body, 0, 0)).toBe(4);
    expect(socket.receiveAll().map(String)).toEqual(['head34567', 'head', 'head']);
  });

  it('reads what is in memory into a part of an area', () => {
    const file = path.join(temporaryDirectory(), 'file');
    writeFileSync(file, '0123456789');
    const fd = openSync(file, 'r');
    onTestFinished(() => closeSync(fd));
    const area = Buffer.alloc(8, '.');
    expect(new Vector().readNowait(fd, area, 2, 4, 5)).toBe(4);
    expect(area.toString()).toBe('..5678..');
    expect(new Vector().readNowait(closed, area, 0, 4, 0)).toBe(-EBADF);
  });
});

it('a process that asked for it ends with the one that started it', async () => {
  const native = new URL('../../../src/platform/native.ts', import.meta.url).href;
  const script = `import('${native}').then(({ endWithParent }) => {
    endWithParent();
    console.log(process.pid);
    setTimeout(() => undefined, 60_000);
  })`;
  const child = `"${process.execPath}" --disable-warning=ExperimentalWarning -e "${script}"`;
  const parent = spawn('sh', ['-c', `${child} & wait`], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(said.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await eventually('it is gone', () => !isAlive(pid), 2_000);
});
