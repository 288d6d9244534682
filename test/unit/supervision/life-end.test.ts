import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { actorRef } from '../../../src/supervision/actor-ref.ts';
import { actorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene } from './scene.ts';

const now = { timeoutMs: 1_000 };

describe('a handler', () => {
  test('T3, T16: that throws ends its life, and a new one answers; nothing is left busy', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    a.ref.tell({ type: 'note', text: 'old' });
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    expect(scene.node('a')).toMatchObject({
      state: 'running',
      incarnation: 2,
      restartsTotal: 1,
      restartsInWindow: 1,
    });
    await expect(a.ref.ask<number>((reply) => ({ type: 'get', reply }), now)).resolves.toBe(0);
  });

  test('T5: each life begins with a fresh state, even when handlers mutate it', async () => {
    const scene = makeScene();
    const ref = actorRef<{ readonly type: 'bump' } | { readonly type: 'crash' }>('a');
    const seen: number[] = [];
    const spec = actorSpec({
      ref,
      start: () => ({
        initialState: () => ({ n: 0 }),
        handle: (state: { n: number }, message) => {
          if (message.type === 'crash') throw new Error('crash');
          state.n += 1;
          seen.push(state.n);
          return state;
        },
      }),
    });
    await scene.start([spec]);
    for (const type of ['bump', 'bump', 'crash'] as const) ref.tell({ type });
    await scene.clock.settle();
    ref.tell({ type: 'bump' });
    await scene.clock.settle();
    expect(seen).toEqual([1, 2, 1]);
  });

  test('T7, T19: that returns a promise is a failure, and its rejection disturbs nobody', async () => {
    const scene = makeScene();
    const ref = actorRef<{ readonly type: 'wait' }>('a');
    const handle = (async () => {
      throw new Error('rejected');
    }) as unknown as (state: number) => number;
    const spec = actorSpec({ ref, start: () => ({ initialState: () => 0, handle }) });
    await scene.start([spec]);
    ref.tell({ type: 'wait' });
    await scene.clock.settle();
    expect(scene.node('a').lastError?.message).toContain('returned a promise');
    expect(scene.node('a').incarnation).toBe(2);
  });

  test('T9, T10: an asker learns of the crash and of the stop at once, not at its deadline', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const b = scene.probe('b');
    const system = await scene.start([a.spec, b.spec]);
    const held = a.ref.ask<number>((reply) => ({ type: 'hold', reply }), now);
    await scene.clock.settle();
    a.ref.tell({ type: 'crash' });
    await expect(held).rejects.toMatchObject({ code: 'unavailable' });
    const other = b.ref.ask<number>((reply) => ({ type: 'hold', reply }), now);
    await scene.clock.settle();
    const stopping = system.stop();
    await expect(other).rejects.toMatchObject({ code: 'unavailable' });
    await stopping;
  });

  test('T4: never overlaps with a handler of the life before, which is out of the way first', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { heartbeat: { everyMs: 100, missed: 2 }, shutdownMs: 500 });
    let order: { type: 'delay'; ms: number } | null = null;
    await scene.start([a.spec], 'one_for_one', {
      intercept: (_id, where) => (where === 'handle' ? order : null),
    });
    await scene.clock.settle();
    order = { type: 'delay', ms: 400 };
    a.ref.tell({ type: 'note', text: 'slow' });
    await scene.clock.settle();
    order = null;
    a.contexts[0]?.fail(new Error('died meanwhile'));
    await scene.clock.advance(399);
    expect(scene.journal).toEqual(['+a#1', '-a#1']);
    await scene.clock.advance(1);
    expect(scene.journal).toEqual(['+a#1', '-a#1', '+a#2']);
    expect(scene.events('abandoned')).toEqual([]);
  });

  test('that is slow is counted', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    a.ref.tell({ type: 'run', act: () => scene.clock.spend(6) });
    a.ref.tell({ type: 'run', act: () => scene.clock.spend(5) });
    await scene.clock.settle();
    expect(scene.node('a')).toMatchObject({ slowTotal: 1, busyMs: 11 });
  });
});

describe('the end of a life', () => {
  test('T6, T17: aborts first, stops, then closes the scope in reverse, each once, before the next life begins', async () => {
    const scene = makeScene();
    const { journal } = scene;
    const a = scene.probe('a', {
      onStart: ({ signal, scope, incarnation }) => {
        signal.addEventListener('abort', () => journal.push(`abort#${incarnation}`));
        scope.defer(() => void journal.push(`first#${incarnation}`));
        scope.defer(async () => {
          await Promise.resolve();
          journal.push(`second#${incarnation}`);
          throw new Error('a clean-up that fails');
        });
        scope.timer(50, { type: 'note', text: 'a timer of the old life' });
      },
    });
    await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    expect(journal).toEqual(['+a#1', 'abort#1', '-a#1', 'second#1', 'first#1', '+a#2']);
    await scene.clock.advance(50);
    expect(journal).not.toContain('a#1:a timer of the old life');
  });

  test('what is registered on a closed scope is undone at once', async () => {
    const scene = makeScene();
    const emitter = new EventEmitter();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    const scope = a.contexts[0]?.scope;
    scope?.defer(() => void scene.journal.push('undone'));
    scope?.listen(emitter, 'data', () => ({ type: 'crash' }));
    scope?.timer(1, { type: 'crash' });
    await scene.clock.advance(5);
    expect(scene.journal.at(-1)).toBe('undone');
    expect(emitter.listenerCount('data')).toBe(0);
    expect(scene.node('a').incarnation).toBe(2);
  });

  test('an error event after the end is logged instead of ending the process', async () => {
    const scene = makeScene();
    const emitter = new EventEmitter();
    const a = scene.probe('a', {
      onStart: ({ scope, incarnation }) => {
        if (incarnation === 1) scope.listen(emitter, 'error', () => ({ type: 'crash' }));
      },
    });
    await scene.start([a.spec]);
    emitter.emit('error', new Error('first'));
    await scene.clock.settle();
    expect(scene.node('a').incarnation).toBe(2);
    expect(() => emitter.emit('error', new Error('late'))).not.toThrow();
  });

  test('R-03: a child that ignores abort is cut at its deadline, abandoned, and named', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { shutdownMs: 700, onStop: () => new Promise<void>(() => {}) });
    const closed: string[] = [];
    const b = scene.probe('b', { onStart: ({ scope }) => scope.defer(() => void closed.push('b')) });
    const system = await scene.start([b.spec, a.spec]);
    const stopping = system.stop();
    await scene.clock.advance(699);
    expect(closed).toEqual([]);
    await scene.clock.advance(1);
    await expect(stopping).resolves.toEqual({ tookMs: 700, abandoned: ['a#1'] });
    expect(closed).toEqual(['b']);
    expect(scene.events('abandoned')).toEqual(['abandoned:a']);
  });

  test('the new life begins only when the old one is closed or abandoned', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      shutdownMs: 700,
      onStart: ({ scope }) => scope.defer(() => new Promise(() => {})),
    });
    await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.advance(699);
    expect(scene.node('a')).toMatchObject({ state: 'stopping', incarnation: 1 });
    await scene.clock.advance(1);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
  });

  test('three abandoned lives escalate, whatever the budget says', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      shutdownMs: 10,
      onGiveUp: 'park',
      onStop: () => new Promise<void>(() => {}),
      budget: { delaysMs: [0], max: 99, jitter: 0, resetAfterMs: 1_000_000, resetNeedsWork: false },
    });
    await scene.start([a.spec]);
    for (let life = 1; life <= 3; life += 1) {
      a.ref.tell({ type: 'crash' });
      await scene.clock.advance(10);
    }
    expect(scene.events('abandoned')).toHaveLength(3);
    expect(scene.rootGaveUp).toMatchObject([{ event: 'gave-up', id: 'root', reason: 'escalated' }]);
  });
});

describe('a hang', () => {
  test('T7, T14: is found within two missed heartbeats, abandoned, and a new life answers', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { heartbeat: { everyMs: 5_000, missed: 2 }, shutdownMs: 1_000 });
    let hangs = false;
    await scene.start([a.spec], 'one_for_one', {
      intercept: (_id, where) => (where === 'handle' && hangs ? { type: 'hang' } : null),
    });
    await scene.clock.advance(6_000);
    expect(scene.node('a').heartbeatAgeMs).toBe(1_000);
    hangs = true;
    a.ref.tell({ type: 'note', text: 'stuck' });
    await scene.clock.settle();
    hangs = false;
    await scene.clock.advance(13_999);
    expect(scene.node('a')).toMatchObject({ state: 'running', heartbeatAgeMs: 14_999 });
    await scene.clock.advance(1);
    expect(scene.node('a')).toMatchObject({ state: 'stopping' });
    await scene.clock.advance(1_000);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
    expect(scene.reports.find((report) => report.event === 'exited')).toMatchObject({
      reason: 'hung',
      errorCode: 'deadline_exceeded',
    });
    expect(scene.events('abandoned')).toEqual(['abandoned:a']);
  });

  test('of a life from its first message on is found in exactly two periods', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { heartbeat: { everyMs: 100, missed: 2 } });
    await scene.start([a.spec], 'one_for_one', {
      intercept: (_id, where) => (where === 'handle' ? { type: 'hang' } : null),
    });
    await scene.clock.advance(199);
    expect(scene.node('a').state).toBe('running');
    await scene.clock.advance(1);
    expect(scene.node('a').state).toBe('stopping');
  });

  test('a slow answer within the time is no failure', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { heartbeat: { everyMs: 100, missed: 2 } });
    await scene.start([a.spec], 'one_for_one', {
      intercept: (_id, where) => (where === 'handle' ? { type: 'delay', ms: 150 } : null),
    });
    await scene.clock.advance(5_000);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 1 });
  });

  test('an interception that throws is the failure of the child', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { heartbeat: { everyMs: 100, missed: 2 } });
    let armed = false;
    await scene.start([a.spec], 'one_for_one', {
      intercept: (id, where) => {
        if (!armed || where !== 'handle') return null;
        armed = false;
        throw new Error(`failpoint in ${id}`);
      },
    });
    await scene.clock.settle();
    armed = true;
    await scene.clock.advance(100);
    expect(scene.node('a')).toMatchObject({ incarnation: 2, lastError: { message: 'failpoint in a' } });
  });
});
