import { describe, expect, it } from 'vitest';
import { PendingReads, type WaitingRead } from '../../../src/fuse/drivers/kernel/pending-reads.ts';
import type { ErrorCode } from '../../../src/platform/errors.ts';
import { limits } from '../../../src/platform/limits.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

function scene() {
  const clock = new SimulatedClock();
  const answers: [unique: number, outcome: number | ErrorCode][] = [];
  const buffers: Buffer[] = [];
  const disk: { read: WaitingRead; finish: (outcome: number | ErrorCode) => void }[] = [];
  const pending = new PendingReads({
    clock,
    read: (read, buffer) => {
      buffers.push(buffer);
      return new Promise((finish) => disk.push({ read, finish }));
    },
    answer: ({ header }, outcome) => answers.push([header.uniqueLow, outcome]),
  });
  const start = (unique: number, size = 4096) =>
    pending.start({
      header: { uniqueLow: unique, uniqueHigh: 0, node: { id: 2, version: 1 } },
      offset: 0,
      size,
    });
  const settle = () => clock.advance(0);
  return { clock, answers, buffers, disk, pending, start, settle };
}

describe('a read that waits for a disk', () => {
  it('is answered once, when the disk is done', async () => {
    const { answers, disk, pending, start, settle } = scene();
    start(7);
    expect([pending.size, answers]).toEqual([1, []]);
    disk[0]?.finish(4096);
    await settle();
    expect([pending.size, answers]).toEqual([0, [[7, 4096]]]);
  });

  it('R-18: is answered at its deadline, and not again when the disk comes back', async () => {
    const { clock, answers, disk, start, settle } = scene();
    start(7);
    await clock.advance(limits.readDeadlineMs - 1);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual([[7, 'deadline_exceeded']]);
    disk[0]?.finish(4096);
    await settle();
    expect(answers).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is answered at once when its caller gives up; others go on', async () => {
    const { answers, disk, pending, start, settle } = scene();
    start(7);
    start(8);
    expect(pending.interrupt(7, 0)).toBe(true);
    expect(pending.interrupt(9, 0)).toBe(false);
    expect(answers).toEqual([[7, 'cancelled']]);
    disk[1]?.finish(10);
    await settle();
    expect(answers).toEqual([
      [7, 'cancelled'],
      [8, 10],
    ]);
  });

  it('never shares its buffer with another, also when it was given up but the disk still writes', async () => {
    const { buffers, disk, pending, start, settle } = scene();
    start(1);
    pending.interrupt(1, 0);
    start(2);
    expect(buffers[0]).not.toBe(buffers[1]);
    disk[0]?.finish(1);
    disk[1]?.finish(1);
    await settle();
    start(3);
    expect(buffers.slice(0, 2)).toContain(buffers[2]); // given back, hence used again
  });
});

it('what waits is bounded in bytes and number; the rest queues in order and is not lost', async () => {
  const { answers, disk, start, settle } = scene();
  const fitting = Math.min(limits.readsInPool, limits.readBufferBytes / limits.readRequestBytes);
  for (let unique = 0; unique < fitting + 3; unique += 1) start(unique, limits.readRequestBytes);
  expect(disk).toHaveLength(fitting);
  for (let done = 0; done < fitting + 3; done += 1) {
    disk[done]?.finish(1);
    await settle();
  }
  expect(answers.map(([unique]) => unique)).toEqual(
    Array.from({ length: fitting + 3 }, (_, unique) => unique),
  );
});

it('a queued read that was given up never reaches the disk', async () => {
  const { disk, pending, start, settle } = scene();
  const fitting = Math.min(limits.readsInPool, limits.readBufferBytes / limits.readRequestBytes);
  for (let unique = 0; unique <= fitting; unique += 1) start(unique, limits.readRequestBytes);
  pending.interrupt(fitting, 0);
  disk[0]?.finish(1);
  await settle();
  expect(disk).toHaveLength(fitting);
});

it('what is left to the next life is never answered by this one', async () => {
  const { answers, disk, pending, start, settle } = scene();
  start(1);
  pending.abandonAll();
  disk[0]?.finish(10);
  await settle();
  expect([answers, pending.size]).toEqual([[], 0]);
});

it('a stop answers everything that waits', () => {
  const { answers, pending, start } = scene();
  start(1);
  start(2);
  pending.cancelAll('origin_unavailable');
  expect(answers).toEqual([
    [1, 'origin_unavailable'],
    [2, 'origin_unavailable'],
  ]);
  expect(pending.size).toBe(0);
});
