import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Invalidation } from '../../../src/catalog/publication.ts';
import { Notifier } from '../../../src/fuse/notifier.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { abi, readStruct } from '../../fixtures/fuse-abi.ts';
import { MessageSocket } from '../../fixtures/message-socket.ts';
import { childrenOf, commandOf, isAlive } from '../../fixtures/processes.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const secondTellingMs = 200;

function scene(deviceFd?: number) {
  const kernel = new MessageSocket();
  const clock = new SimulatedClock();
  const told: number[] = [];
  const refused: number[] = [];
  const notifier = new Notifier({
    deviceFd: deviceFd ?? kernel.deviceFd,
    onRefused: (errno) => refused.push(errno),
    clock,
    mayWrite: () => true,
    onTold: (upToId) => told.push(upToId),
  });
  /** The next `count` notifications, as "parent/name"; a listing has no name. */
  const heard = async (count: number): Promise<string[]> => {
    const messages: Buffer[] = [];
    await eventually(`${count} notifications`, () => {
      messages.push(...kernel.receiveAll());
      return messages.length >= count;
    });
    return messages.map(textOf);
  };
  const toldAs = (ids: readonly number[]): Promise<boolean> =>
    eventually(`${ids.join()} are told`, () => told.join() === ids.join());
  onTestFinished(() => notifier.close());
  return { kernel, clock, told, refused, notifier, heard, toldAs };
}

const writers = () =>
  childrenOf(process.pid).filter((pid) => isAlive(pid) && commandOf(pid).includes('notify-process'));

function textOf(message: Buffer): string {
  const { error } = readStruct(abi.outHeader, message, 0);
  if (error === 2) return `${readStruct(abi.notifyInvalInode, message, 16).ino}/`;
  const { parent, namelen } = readStruct(abi.notifyInvalEntry, message, 16);
  return `${parent}/${message.subarray(32, 32 + Number(namelen)).toString()}`;
}

const name = (id: number, parent: number, text: string): Invalidation => ({ id, parent, name: text });
const listing = (id: number, parent: number): Invalidation => ({ id, parent, name: null });

describe('the kernel', () => {
  it('is told in order, and of listings a second time a moment later', async () => {
    const { clock, told, notifier, heard, toldAs, kernel } = scene();
    await notifier.tell([name(1, 5, 'a'), listing(2, 5), name(3, 1, 'b'), listing(4, 1)]);
    expect(await heard(4)).toEqual(['5/a', '5/', '1/b', '1/']);
    await clock.advance(secondTellingMs - 1);
    expect([kernel.receiveAll(), told]).toEqual([[], []]);
    await clock.advance(1);
    expect(await heard(2)).toEqual(['5/', '1/']);
    await toldAs([4]);
    expect(notifier.written).toBe(6);
  });

  it('has heard everything once when the telling resolves', async () => {
    const { notifier, kernel } = scene();
    await notifier.tell([name(1, 5, 'a'), listing(2, 5)]);
    expect(kernel.receiveAll().map(textOf)).toEqual(['5/a', '5/']);
  });

  it('is told what came meanwhile after what came before', async () => {
    const { clock, notifier, heard, toldAs } = scene();
    const both = [notifier.tell([name(1, 5, 'a'), listing(2, 5)]), notifier.tell([name(3, 6, 'b')])];
    await Promise.all(both);
    const first = await heard(3);
    expect(first.indexOf('5/a')).toBeLessThan(first.indexOf('5/'));
    expect(first).toContain('6/b');
    await clock.advance(secondTellingMs);
    expect(await heard(1)).toEqual(['5/']);
    await toldAs([2, 3]);
  });

  it('that refuses a notification is not waited for, and that is told', async () => {
    const readOnly = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(readOnly));
    const { notifier, refused } = scene(readOnly);
    await notifier.tell([name(1, 5, 'a'), listing(2, 5)]);
    expect(refused).toEqual([constants.errno.EBADF, constants.errno.EBADF]);
  });

  it('is told nothing for nothing', async () => {
    const { clock, notifier, kernel, told } = scene();
    await notifier.tell([]);
    expect([kernel.receiveAll(), clock.pendingTimers, told]).toEqual([[], 0, []]);
  });
});

describe('the process that writes', () => {
  it('is replaced when it is killed, and what it had not written is written', async () => {
    const { clock, notifier, heard } = scene();
    await notifier.tell([name(1, 5, 'a')]);
    await heard(1);
    const [writer = 0] = writers();
    process.kill(writer, 'SIGKILL');
    const telling = notifier.tell([name(2, 5, 'b')]);
    await eventually('its end is seen', () => !isAlive(writer));
    await eventually('it is heard', async () => {
      await clock.advance(1_000);
      return writers().length === 1;
    });
    await telling;
    expect(await heard(1)).toEqual(['5/b']);
  });

  it('is let go when there was nothing to write for a while', async () => {
    const { clock, notifier } = scene();
    await notifier.tell([name(1, 5, 'a')]);
    expect(writers()).toHaveLength(1);
    await clock.advance(10_000);
    await eventually('it ends', () => writers().length === 0);
  });
});

describe('a closed notifier', () => {
  it('R-50: begins no further notification, and leaves what was told once for the next life', async () => {
    const { clock, told, notifier, heard, kernel } = scene();
    await notifier.tell([listing(1, 5)]);
    await heard(1);
    notifier.close();
    await notifier.tell([listing(2, 5)]);
    await clock.advance(secondTellingMs);
    await clock.advance(10 * secondTellingMs);
    expect([kernel.receiveAll(), told]).toEqual([[], []]);
  });

  it('may be closed twice', () => {
    const { notifier } = scene();
    notifier.close();
    notifier.close();
  });
});
