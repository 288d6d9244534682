import { closeSync, openSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OpenNodes } from '../../../src/fuse/drivers/kernel/open-nodes.ts';
import { Opens } from '../../../src/fuse/drivers/kernel/opens.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { limits } from '../../../src/platform/limits.ts';
import { createMemoryFile } from '../../../src/platform/native.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const node = (id: number) => ({ id, version: 1 });

/** Opens whose disk is the test; the device is none, so that no file is ever taken by a kernel. */
function scene(now: number | 'wait' | null) {
  const clock = new SimulatedClock();
  const memory = createMemoryFile('test');
  onTestFinished(() => closeSync(memory));
  const held: string[] = [];
  const disk: ((file: number | null) => void)[] = [];
  const opens = new Opens({
    deviceFd: memory,
    nodes: new OpenNodes(memory),
    backing: { openNow: () => now, openLater: () => new Promise((finish) => disk.push(finish)) },
    answers: {
      hold: (id) => held.push(`hold ${id}`),
      letGo: (id) => held.push(`let go ${id}`),
    },
    clock,
    failpoints: new Failpoints(false),
  });
  opens.allowPassthrough();
  const granted: number[] = [];
  const open = (id: number) => opens.open(node(id), () => granted.push(id));
  return { clock, opens, open, granted, disk, held, settle: () => clock.advance(0) };
}

describe('an open', () => {
  it('that needs no disk is granted at once; the daemon holds the file from the first handle to the last', () => {
    const { opens, open, granted, held } = scene(null);
    open(2);
    open(2);
    expect([granted, held, opens.handles]).toEqual([[2, 2], ['hold 2'], 2]);
    opens.release(node(2));
    expect(held).toEqual(['hold 2']);
    opens.release(node(2));
    expect([held, opens.handles]).toEqual([['hold 2', 'let go 2'], 0]);
  });

  it('that needs a disk waits for it, and those of the same file wait with it', async () => {
    const { opens, open, granted, disk, settle } = scene('wait');
    open(2);
    open(2);
    expect([granted, opens.waiting, disk.length]).toEqual([[], 1, 1]);
    disk[0]?.(null);
    await settle();
    expect([granted, opens.waiting, opens.handles]).toEqual([[2, 2], 0, 2]);
  });

  it('does not wait for a disk that hangs, and a file that comes too late is closed', async () => {
    const { clock, open, granted, disk, settle } = scene('wait');
    open(2);
    await clock.advance(limits.passthroughOpenMs - 1);
    expect(granted).toEqual([]);
    await clock.advance(1);
    expect(granted).toEqual([2]);
    const late = openSync('/dev/null', 'r');
    disk[0]?.(late);
    await settle();
    expect(() => closeSync(late)).toThrow(/EBADF/);
    expect([granted, clock.pendingTimers]).toEqual([[2], 0]);
  });

  it('does not wait at all while several hang', () => {
    const { open, granted } = scene('wait');
    for (let id = 2; id < 2 + limits.passthroughOpensInPool + 1; id += 1) open(id);
    expect(granted).toEqual([2 + limits.passthroughOpensInPool]);
  });

  it('is granted when the mount ends, and left to the next life when only this one does', () => {
    const ending = scene('wait');
    ending.open(2);
    ending.opens.settleAll();
    expect(ending.granted).toEqual([2]);
    const handing = scene('wait');
    handing.open(2);
    handing.opens.abandonAll();
    expect([handing.granted, handing.opens.handles, handing.clock.pendingTimers]).toEqual([[], 0, 0]);
  });
});
