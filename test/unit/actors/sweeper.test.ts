import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type CatalogWriterMessage, catalogWriter } from '../../../src/actors/catalog-writer.ts';
import { sweeper, sweeperSpec } from '../../../src/actors/sweeper.ts';
import { MadeStore } from '../../../src/made/made-store.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { limits } from '../../../src/platform/limits.ts';
import { actorSpec, supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { makeScene } from '../supervision/scene.ts';

test('what the catalog shows stays, what it does not goes, and each day again', async () => {
  const directory = path.join(temporaryDirectory(), 'made');
  const late = { ...systemClock, wallMs: () => Date.now() + 2 * limits.madeFileGraceMs };
  const store = new MadeStore(directory, late);
  const put = async (text: string) => {
    const { path: name } = await store.put(Buffer.from(text), new AbortController().signal);
    return name;
  };
  const shown = new Set([await put('shown')]);
  const forgotten = await put('forgotten');
  const scene = makeScene();
  const writer = actorSpec<CatalogWriterMessage, null>({
    ref: catalogWriter,
    start: () => ({
      initialState: () => null,
      handle(state, message) {
        if (message.type === 'request' && message.request.type === 'made-referenced')
          message.reply.resolve(message.request.paths.filter((name) => shown.has(name)));
        return state;
      },
    }),
  });
  const children = [writer, sweeperSpec({ store })];
  await scene.startTree(supervisorSpec({ id: 'root', strategy: 'one_for_one', children }));
  const isThere = (name: string) => existsSync(path.join(directory, name));
  const scanned = async (laterMs: number) => {
    await scene.clock.advance(laterMs);
    sweeper.tell({ type: 'scanned' });
    await scene.clock.advance(0);
  };
  await scanned(limits.sweepAfterMs - 1);
  await scanned(0);
  expect(isThere(forgotten)).toBe(true);
  await scanned(1);
  await eventually('it is removed', () => !isThere(forgotten));
  expect([...shown].map(isThere)).toEqual([true]);
  const again = await put('forgotten later');
  await scanned(1_000);
  expect(isThere(again)).toBe(true);
  await eventually('the next round is a day later', async () => {
    await scanned(limits.sweepEveryMs);
    return !isThere(again);
  });
});
