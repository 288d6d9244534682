// When the indexer scans without being asked.
import { expect, test } from 'vitest';
import { indexer, indexerSpec } from '../../../src/actors/indexer.ts';
import type { OriginCaller } from '../../../src/actors/origin-caller.ts';
import { type OriginLaneMessage, originLaneSpec } from '../../../src/actors/origin-lane.ts';
import { StatusBoard } from '../../../src/actors/status-board.ts';
import { defaultScan } from '../../../src/library/scan-settings.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { limits } from '../../../src/platform/limits.ts';
import type { LogFields, Logger } from '../../../src/platform/logger.ts';
import { actorRef } from '../../../src/supervision/actor-ref.ts';
import { supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene } from '../supervision/scene.ts';

const hour = 3_600_000;

/** An indexer over one origin that is never there, at noon. Scans end at once, and are counted. */
async function scanning(background: string) {
  const scene = makeScene();
  scene.clock.jumpWall(new Date(2026, 10, 29, 12, 0).getTime() - scene.clock.wallMs());
  const board = new StatusBoard();
  let scans = 0;
  const note = ({ event }: LogFields) => {
    if (event === 'scan_started') scans += 1;
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  const lane = actorRef<OriginLaneMessage>('origin-lane.nas');
  const away = () => Promise.reject(new MusicfsError('origin_unavailable', 'it is not there'));
  const caller = { probe: away, copy: null } as unknown as OriginCaller;
  const failpoints = new Failpoints(false);
  const children = [
    originLaneSpec({
      ref: lane,
      originId: 'nas',
      caller,
      board,
      failpoints,
      onEvidence: () => undefined,
    }),
    indexerSpec({
      origins: [{ id: 'nas', root: '/nowhere', lane, followsLinks: false }],
      walk: { ...defaultScan, background, wantsPlaylists: false },
      headsDirectory: '/nowhere',
      board,
      parsers: {
        ...{ size: 1, dropPrivileges: false, limits: limits.parser, failpoints: () => [] },
        legacyCharset: defaultScan.legacyCharset,
      },
      failpoints,
      onScanned: () => undefined,
      settle: () => Promise.resolve(),
    }),
  ];
  await scene.startTree(supervisorSpec({ id: 'root', strategy: 'one_for_one', children }), { log });
  await scene.clock.advance(60_000);
  const before = scans;
  return { scene, board, scansSince: () => scans - before };
}

test('at the time that is configured, every day', async () => {
  const { scene, scansSince } = await scanning('03:30');
  await scene.clock.advance(15 * hour);
  expect(scansSince()).toBe(0);
  await scene.clock.advance(hour);
  expect(scansSince()).toBe(1);
  await scene.clock.advance(24 * hour);
  expect(scansSince()).toBe(2);
});

test('not at all where no time is configured, and a scan that is asked for is another matter', async () => {
  const { scene, scansSince } = await scanning('');
  await scene.clock.advance(30 * hour);
  expect(scansSince()).toBe(0);
  indexer.tell({ type: 'scan', originId: null, reply: null });
  await scene.clock.settle();
  expect(scansSince()).toBe(1);
});
