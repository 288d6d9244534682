import { expect, test } from 'vitest';
import { resourcesSpec } from '../../../src/actors/resources.ts';
import { StatusBoard } from '../../../src/actors/status-board.ts';
import { FuseCounters } from '../../../src/fuse/thread-protocol.ts';
import type { LogFields, Logger } from '../../../src/platform/logger.ts';
import type { ResourceUse } from '../../../src/platform/own-resources.ts';
import { supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene } from '../supervision/scene.ts';

const minute = 60_000;

function recorder(lines: string[]): Logger {
  const note = (level: string) => (fields: LogFields) => void lines.push(`${level} ${fields.event}`);
  const log: Logger = {
    debug: () => undefined,
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => log,
  };
  return log;
}

test('R-29, R-31: use is sampled each minute, each change of level is told once, and scarcity reaches the fuse thread', async () => {
  const scene = makeScene();
  const board = new StatusBoard();
  board.fuse = new FuseCounters();
  const lines: string[] = [];
  let descriptors = 10;
  let memory = 10;
  const use = (): ResourceUse => ({
    descriptors: { used: descriptors, limit: 100 },
    memory: { used: memory, limit: 100 },
  });
  const children = [resourcesSpec({ board, use })];
  await scene.startTree(supervisorSpec({ id: 'root', strategy: 'one_for_one', children }), {
    log: recorder(lines),
  });
  const told = () => lines.splice(0).filter((line) => /descriptors|memory/.test(line));
  await scene.clock.settle();
  expect(board.resources).toEqual(use());
  expect(told()).toEqual([]);
  descriptors = 80;
  await scene.clock.advance(minute - 1);
  expect(told()).toEqual([]);
  await scene.clock.advance(1);
  expect(told()).toEqual(['warn descriptors_high']);
  await scene.clock.advance(10 * minute);
  expect(told()).toEqual([]);
  expect(board.fuse.get('descriptorsScarce')).toBe(0);
  [descriptors, memory] = [95, 99];
  await scene.clock.advance(minute);
  expect(told()).toEqual(['warn descriptors_scarce', 'warn memory_scarce']);
  expect(board.fuse.get('descriptorsScarce')).toBe(1);
  [descriptors, memory] = [10, 10];
  await scene.clock.advance(minute);
  expect(told()).toEqual(['info descriptors_fine', 'info memory_fine']);
  expect(board.fuse.get('descriptorsScarce')).toBe(0);
});
