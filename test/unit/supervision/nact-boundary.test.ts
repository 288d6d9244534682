import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { openTurnSource } from '../../../src/supervision/nact-mailbox.ts';
import { makeScene } from './scene.ts';

const sources = join(import.meta.dirname, '../../../src');

describe('the boundary to nact', () => {
  test('T2, T10, T21: one file imports it, and takes nothing but start, spawn, dispatch and stop', () => {
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const imports = files.flatMap((name) =>
      readFileSync(join(sources, name), 'utf8')
        .split('\n')
        .filter((line) => /from 'nact/.test(line))
        .map((line) => `${name}: ${line}`),
    );
    expect(imports).toEqual([
      "supervision/nact-mailbox.ts: import { dispatch, spawn, start, stop } from 'nact';",
    ]);
  });

  test('steps run one at a time, each with the state the one before left', async () => {
    const source = openTurnSource();
    const seen: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const turns = source.spawn('a#1', 0, (n) => {
      seen.push(n);
      if (n === 2) resolve();
      return n + 1;
    });
    for (let at = 0; at < 3; at += 1) turns.request();
    expect(seen).toEqual([]);
    await promise;
    expect(seen).toEqual([0, 1, 2]);
    source.close();
    turns.request();
    turns.stop();
    turns.stop();
  });

  test('T8, T14: whatever fails, nothing escapes as an unhandled rejection', async () => {
    const scene = makeScene();
    const escaped: unknown[] = [];
    const note = (error: unknown): void => void escaped.push(error);
    process.on('unhandledRejection', note);
    const a = scene.probe('a', {
      onStart: ({ scope, incarnation }) => {
        scope.defer(() => Promise.reject(new Error('clean-up')));
        if (incarnation === 2) throw new Error('start');
      },
      onStop: () => Promise.reject(new Error('stop')),
    });
    const system = await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.advance(2_000);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 3 });
    await system.stop();
    await scene.clock.settle();
    process.off('unhandledRejection', note);
    expect(escaped).toEqual([]);
  });

  test('the real clock does as well as the simulated one', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec], 'one_for_one', { clock: systemClock });
    a.ref.tell({ type: 'note', text: 'x' });
    const answer = a.ref.ask<number>((reply) => ({ type: 'get', reply }), { timeoutMs: 10_000 });
    await expect(answer).resolves.toBe(1);
    const silence = a.ref.ask<number>((reply) => ({ type: 'hold', reply }), { timeoutMs: 5 });
    await expect(silence).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });
});
