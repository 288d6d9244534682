import { expect, test } from 'vitest';
import { healthMonitor, healthMonitorSpec } from '../../../src/actors/health-monitor.ts';
import type { OriginCaller } from '../../../src/actors/origin-caller.ts';
import { type OriginLaneMessage, originLaneSpec } from '../../../src/actors/origin-lane.ts';
import { StatusBoard } from '../../../src/actors/status-board.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import type { LogFields, Logger } from '../../../src/platform/logger.ts';
import { originDefaults } from '../../../src/platform/origin-settings.ts';
import { actorRef } from '../../../src/supervision/actor-ref.ts';
import { supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene } from '../supervision/scene.ts';

/** Local origins whose looks take so many ms each; null: one that never comes back. */
async function watching(tookMs: readonly (number | null)[]) {
  const scene = makeScene();
  const board = new StatusBoard();
  const lines: LogFields[] = [];
  const note = (fields: LogFields) => void lines.push(fields);
  const log: Logger = { debug: () => undefined, info: note, warn: note, error: note, child: () => log };
  const takes = [...tookMs];
  const lateAnswers: (() => void)[] = [];
  const origins = tookMs.map((_, index) => {
    const id = `disk-${index}`;
    const probe: OriginCaller['probe'] = () =>
      new Promise((resolve) => {
        const answer = () => resolve({ missing: [], mounted: [] });
        const ms = takes[index];
        if (typeof ms === 'number') scene.clock.after(ms, answer);
        else lateAnswers.push(answer);
      });
    const caller = { probe, copy: null } as unknown as OriginCaller;
    const settings = {
      ...originDefaults,
      bandwidth: [],
      id,
      kind: 'local',
      symlinks: 'inside',
      root: `/${id}`,
      requestsPerSecond: 0,
    } as const;
    return { settings, isFetched: false, lane: actorRef<OriginLaneMessage>(`origin-lane.${id}`), caller };
  });
  const children = [
    healthMonitorSpec({
      ...{ origins, board, wereDown: [], random: () => 0.5 },
      ...{ onRecovered: () => undefined, onDown: () => undefined },
    }),
    ...origins.map(({ settings, lane, caller }) =>
      originLaneSpec({
        ...{ ref: lane, originId: settings.id, caller, board, failpoints: new Failpoints(false) },
        onEvidence: (originId, error) => healthMonitor.tell({ type: 'evidence', originId, error }),
      }),
    ),
  ];
  await scene.startTree(supervisorSpec({ id: 'root', strategy: 'one_for_one', children }), { log });
  await scene.clock.settle();
  return {
    scene,
    board,
    lines,
    takes,
    lateAnswers,
    states: () => [...board.origins.values()].map(({ state }) => state),
  };
}

test('R-22: three origins that take 200 ms each are looked at side by side', async () => {
  const { scene, states } = await watching([200, 200, 200]);
  await scene.clock.advance(199);
  expect(states()).toEqual(['unknown', 'unknown', 'unknown']);
  await scene.clock.advance(1);
  expect(states()).toEqual(['healthy', 'healthy', 'healthy']);
});

test('R-22: one that hangs keeps nobody from knowing about the others, in the first round and in those that follow', async () => {
  const { scene, states, takes } = await watching([100, 100, null]);
  await scene.clock.advance(100);
  expect(states()).toEqual(['healthy', 'healthy', 'unknown']);
  await scene.clock.advance(4_900);
  expect(states()).toEqual(['healthy', 'healthy', 'unhealthy']);
  takes[1] = null;
  await scene.clock.advance(30_000 + 5_000);
  expect(states()).toEqual(['healthy', 'unhealthy', 'unhealthy']);
});

test('R-21: a look that hangs has failed after 5 s; its answer counts when it comes after all, and one is made at a time', async () => {
  const { scene, states, lines, lateAnswers, board } = await watching([null]);
  await scene.clock.advance(4_999);
  expect(states()).toEqual(['unknown']);
  await scene.clock.advance(1);
  expect(states()).toEqual(['unhealthy']);
  expect(board.origins.get('disk-0')?.lastError).toBe('no answer within 5000 ms');
  expect(lines.filter(({ event }) => event === 'origin_health_changed')).toMatchObject([
    { origin: 'disk-0', from: 'unknown', to: 'unhealthy', code: 'deadline_exceeded' },
  ]);
  const looks = lateAnswers.length;
  await scene.clock.advance(180_000);
  expect(lateAnswers.length).toBe(looks);
  for (const answer of lateAnswers) answer();
  await scene.clock.settle();
  expect(states()).toEqual(['healthy']);
});
