import { describe, expect, it } from 'vitest';
import type { NodeAttributes } from '../../../src/catalog/tree-reader.ts';
import type { Answers } from '../../../src/fuse/answers.ts';
import { PathOperations } from '../../../src/fuse/drivers/fuse-native/path-operations.ts';
import { FuseCounters } from '../../../src/fuse/thread-protocol.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { defaultOwnership } from '../../../src/platform/fuse-settings.ts';
import { limits } from '../../../src/platform/limits.ts';
import { type Logger, silentLogger } from '../../../src/platform/logger.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const node = (id: number, isDirectory: boolean, version = 0): NodeAttributes => ({
  id,
  isDirectory,
  version,
  size: isDirectory ? 0 : 10,
  mtimeSeconds: 5,
  mtimeNanoseconds: 6_999_999,
  ctimeSeconds: -5,
  ctimeNanoseconds: 0,
  links: 1,
});

/** A root with directory `d` (2) in it, which holds file `f` (3) in version 1. */
function scene(changed: Partial<Record<keyof Answers, unknown>> = {}) {
  const opened: string[] = [];
  const answers = {
    attributes: (id: number, version: number) => node(id, id !== 3, version),
    lookup: (parent: number, _version: number, name: Buffer) => {
      if (parent === 1 && name.toString() === 'd') return node(2, true);
      return parent === 2 && name.toString() === 'f' ? node(3, false, 1) : 'not_found';
    },
    open: () => null,
    hold: (id: number, version: number) => opened.push(`${id}.${version}`),
    letGo: (id: number, version: number) => opened.splice(opened.indexOf(`${id}.${version}`), 1),
    readNow: () => 'wait',
    read: () => new Promise(() => undefined),
    gaveUp: () => undefined,
    xattr: () => Buffer.from('value'),
    ...changed,
  } as unknown as Answers;
  const counters = new FuseCounters();
  const clock = new SimulatedClock();
  const logged: unknown[] = [];
  const operations = new PathOperations({
    answers,
    counters,
    clock,
    failpoints: new Failpoints(false),
    log: { ...silentLogger, error: (fields: unknown) => logged.push(fields) } as Logger,
    ownership: { ...defaultOwnership, uid: 7, gid: 8 },
    freeBytes: () => 0,
  });
  /** What is answered at once. */
  const answered = <A extends unknown[]>(ask: (reply: (...answer: A) => void) => void): A | null => {
    let got: A | null = null;
    ask((...answer) => {
      got = answer;
    });
    return got;
  };
  const openFile = () => answered<[number, number?]>((reply) => operations.open('/d/f', 0, reply))?.[1] ?? 0;
  return { operations, counters, clock, logged, opened, answered, openFile };
}

describe('the operations by path', () => {
  it('find a node name by name, and say where the path breaks', () => {
    const { operations, answered } = scene();
    const statusOf = (path: string) =>
      answered<[number, object?]>((reply) => operations.getattr(path, reply))?.[0];
    expect(['/', '/d', '/d/f', '/x', '/d/x', '/d/f/x'].map(statusOf)).toEqual([0, 0, 0, -2, -2, -20]);
  });

  it('show whole milliseconds, and nothing before 1970', () => {
    const { operations, answered } = scene();
    const [, stat] = answered<[number, object?]>((reply) => operations.getattr('/d/f', reply)) ?? [];
    expect(stat).toMatchObject({ mode: 0o100644, uid: 7, gid: 8, ino: 3, size: 10, blocks: 1 });
    expect(stat).toMatchObject({ atime: 5006, mtime: 5006, ctime: 0, blksize: 131_072 });
  });

  it('answer EIO when the catalog cannot be read, never ENOENT, and count it', () => {
    const { operations, answered, counters, logged } = scene({
      attributes: () => {
        throw Object.assign(new Error('database disk image is malformed'), { code: 'SQLITE_CORRUPT' });
      },
    });
    expect(answered<[number, object?]>((reply) => operations.getattr('/d', reply))).toEqual([-5]);
    expect(
      answered<[number]>((reply) => operations.getxattr('/d', 'user.x', Buffer.alloc(9), reply)),
    ).toEqual([-5]);
    expect([counters.get('catalogErrors'), logged]).toEqual([2, []]);
  });

  it('answer EIO to a bug and log it', () => {
    const { operations, answered, logged, openFile } = scene({
      readNow: () => {
        throw new TypeError('a bug');
      },
    });
    expect(answered<[number]>((reply) => operations.read(openFile(), Buffer.alloc(9), 9, 0, reply))).toEqual([
      -5,
    ]);
    expect(logged).toMatchObject([{ event: 'request_failed', operation: 'read', error: 'a bug' }]);
  });

  it('give each open file a number that stands for its version until it is released', () => {
    const { operations, answered, opened, openFile } = scene();
    const [first, second] = [openFile(), openFile()];
    expect([first, second, opened, operations.openHandles]).toEqual([1, 2, ['3.1'], 2]);
    expect(answered<[number]>((reply) => operations.release(first, reply))).toEqual([0]);
    expect([opened, operations.openHandles]).toEqual([['3.1'], 1]);
    expect([openFile(), operations.openHandles]).toEqual([1, 2]);
    for (const handle of [first, second]) operations.release(handle, () => undefined);
    expect([opened, operations.openHandles]).toEqual([[], 0]);
    expect(answered<[number]>((reply) => operations.read(99, Buffer.alloc(9), 9, 0, reply))).toEqual([-9]);
  });

  it('refuse to open for writing, and more files than the limit', () => {
    const { operations, answered, openFile } = scene();
    const statusOf = (flags: number) =>
      answered<[number, number?]>((reply) => operations.open('/d/f', flags, reply))?.[0];
    expect([1, 2].map(statusOf)).toEqual([-30, -30]);
    for (let count = 0; count < limits.pathDriverHandles; count += 1) openFile();
    expect([statusOf(0), operations.openHandles]).toEqual([-23, limits.pathDriverHandles]);
  });

  it('write no attribute past the end of the memory they are given', () => {
    const { operations, answered } = scene();
    const valueIn = (area: Buffer) =>
      answered<[number]>((reply) => operations.getxattr('/d', 'user.x', area, reply))?.[0];
    const exact = Buffer.alloc(5);
    expect([Buffer.alloc(0), Buffer.alloc(4), exact].map(valueIn)).toEqual([5, -34, 5]);
    expect(exact.toString()).toBe('value');
  });

  it('answer EIO for a read that its disk has not answered within the limit', async () => {
    const { operations, clock, openFile } = scene();
    const statuses: number[] = [];
    operations.read(openFile(), Buffer.alloc(9), 9, 0, (status) => statuses.push(status));
    await clock.advance(limits.readDeadlineMs - 1);
    expect(statuses).toEqual([]);
    await clock.advance(1);
    expect(statuses).toEqual([-5]);
  });

  it('answer what waits for a disk when the mount ends', () => {
    const { operations, openFile } = scene();
    const statuses: number[] = [];
    operations.read(openFile(), Buffer.alloc(9), 9, 0, (status) => statuses.push(status));
    operations.close();
    expect(statuses).toEqual([-5]);
  });
});
