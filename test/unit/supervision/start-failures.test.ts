import { describe, expect, test } from 'vitest';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { actorRef } from '../../../src/supervision/actor-ref.ts';
import { actorSpec, supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene } from './scene.ts';

describe('a start', () => {
  test('T12: that throws leaves no actor behind, and is tried again under the budget', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      onStart: ({ incarnation }) => {
        if (incarnation <= 2) throw new Error('no disk');
      },
    });
    await scene.start([a.spec]);
    expect(scene.node('a')).toMatchObject({
      state: 'backoff',
      incarnation: 2,
      nextRestartInMs: 1_000,
      lastError: { message: 'no disk', count: 2 },
    });
    await scene.clock.advance(1_000);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 3 });
  });

  test('T12: an initial state that throws is a failed start', async () => {
    const scene = makeScene();
    const ref = actorRef<{ readonly type: 'x' }>('a');
    let tries = 0;
    const initialState = (): number => {
      tries += 1;
      if (tries === 1) throw new Error('no state');
      return 0;
    };
    const spec = actorSpec({ ref, start: () => ({ initialState, handle: (state: number) => state }) });
    await scene.start([spec]);
    expect(scene.reports[0]).toMatchObject({ event: 'exited', reason: 'start_failed', message: 'no state' });
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
  });

  test('T13: an initial state that is a promise is a failed start', async () => {
    const scene = makeScene();
    const ref = actorRef<{ readonly type: 'x' }>('a');
    const initialState = (async () => 0) as unknown as () => number;
    const spec = actorSpec({ ref, start: () => ({ initialState, handle: (state: number) => state }) });
    await scene.start([spec]);
    expect(scene.node('a').lastError?.message).toContain('initialState returned a promise');
  });

  test('that takes longer than startMs fails, its late result is put away, and the next one is awaited', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      shutdownMs: 3_000,
      onStart: ({ incarnation, clock, signal }) => {
        if (incarnation > 1) return;
        signal.addEventListener('abort', () => scene.journal.push('aborted'));
        return new Promise<void>((resolve) => {
          clock.after(7_000, resolve);
        });
      },
    });
    const starting = scene.start([a.spec]);
    await scene.clock.advance(5_000);
    expect(scene.journal).toEqual(['aborted']);
    await scene.clock.advance(2_000);
    await starting;
    expect(scene.journal).toEqual(['aborted', '+a#1', '-a#1', '+a#2']);
    expect(scene.node('a').lastError).toMatchObject({ code: 'deadline_exceeded' });
  });

  test('that never ends is abandoned after startMs and shutdownMs', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    let hangs = true;
    const starting = scene.start([a.spec], 'one_for_one', {
      intercept: (_id, where) => {
        if (where !== 'start' || !hangs) return null;
        hangs = false;
        return { type: 'hang' };
      },
    });
    await scene.clock.advance(6_000);
    await starting;
    expect(scene.events()).toEqual(['exited:a', 'abandoned:a', 'restarting:a', 'started:a', 'started:root']);
  });

  test('T1: that fails for ever backs off, gives up after its budget, and does not spin', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      onStart: () => {
        throw new Error('never');
      },
    });
    await scene.start([a.spec], 'one_for_one', { random: () => 1 });
    await scene.clock.advance(200_000);
    const delays = scene.reports
      .filter((report) => report.event === 'restarting')
      .map((report) => report.delayMs);
    expect(delays).toEqual([0, 1_200, 6_000, 36_000, 36_000]);
    expect(a.contexts).toHaveLength(6);
    expect(scene.rootGaveUp).toHaveLength(1);
  });

  test.each(['refused', 'config_invalid', 'already_exists', 'newer_schema'] as const)(
    'that is answered with %s at first rejects the system start after stopping what had started',
    async (code) => {
      const scene = makeScene();
      const error = new MusicfsError(code, 'no way');
      const a = scene.probe('a');
      const b = scene.probe('b', {
        onStart: () => {
          throw error;
        },
      });
      const c = scene.probe('c');
      const part = supervisorSpec({ id: 'part', strategy: 'one_for_one', children: [b.spec] });
      await expect(scene.start([a.spec, part, c.spec])).rejects.toBe(error);
      expect(scene.journal).toEqual(['+a#1', '-a#1']);
      expect(a.ref.tell({ type: 'crash' })).toBe('refused');
      expect(c.ref.tell({ type: 'crash' })).toBe('refused');
    },
  );

  test('that is refused later is a failure like any other', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      onStart: ({ incarnation }) => {
        if (incarnation === 2) throw new MusicfsError('refused', 'not now');
      },
    });
    await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.advance(1_000);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 3 });
  });
});

describe('a wrong spec', () => {
  test.each([
    ['a', 'a'],
    ['a', 'B'],
    ['a', 'x y'],
  ])('with the ids %s and %s is refused', async (first, second) => {
    const scene = makeScene();
    const specs = [scene.probe(first).spec, scene.probe(second).spec];
    await expect(scene.start(specs)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('with a reference of another id is refused', async () => {
    const scene = makeScene();
    const spec = { ...scene.probe('a').spec, id: 'b' };
    await expect(scene.start([spec])).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
