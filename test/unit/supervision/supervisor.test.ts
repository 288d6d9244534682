import { describe, expect, test } from 'vitest';
import { type SupervisorSpec, supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene, type Probe, type Scene } from './scene.ts';

const fewTries = { delaysMs: [0], max: 1, jitter: 0, resetAfterMs: 300_000, resetNeedsWork: false };

async function crash(scene: Scene, probe: Probe, times = 1): Promise<void> {
  for (let at = 0; at < times; at += 1) {
    probe.ref.tell({ type: 'crash' });
    await scene.clock.settle();
  }
}

describe('start and stop', () => {
  test('go through the tree in order and back in reverse', async () => {
    const scene = makeScene();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => scene.probe(id).spec);
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new Error('unreachable');
    const part = supervisorSpec({ id: 'part', strategy: 'rest_for_one', children: [b, c] });
    const system = await scene.start([a, part, d]);
    expect(scene.journal.splice(0)).toEqual(['+a#1', '+b#1', '+c#1', '+d#1']);
    expect(scene.events('started')).toEqual([
      'started:a',
      'started:b',
      'started:c',
      'started:part',
      'started:d',
      'started:root',
    ]);
    const report = await system.stop();
    expect(scene.journal).toEqual(['-d#1', '-c#1', '-b#1', '-a#1']);
    expect(report).toEqual({ tookMs: 0, abandoned: [] });
    expect(system.stop()).toBe(system.stop());
    expect(scene.node('c')).toMatchObject({ state: 'stopped', path: 'root/part/c' });
    expect(scene.node('root')).toMatchObject({ state: 'stopped', strategy: 'one_for_one' });
    expect(scene.clock.pendingTimers).toBe(0);
  });

  test('each child is awaited before the next one begins', async () => {
    const scene = makeScene();
    const slow = scene.probe('slow', {
      onStart: ({ clock }) =>
        new Promise<void>((resolve) => {
          clock.after(3_000, resolve);
        }),
    });
    const next = scene.probe('next');
    const starting = scene.start([slow.spec, next.spec]);
    await scene.clock.advance(2_999);
    expect(next.contexts).toEqual([]);
    expect(next.ref.tell({ type: 'note', text: 'early' })).toBe('stashed');
    await scene.clock.advance(1);
    await starting;
    expect(scene.journal).toEqual(['+slow#1', '+next#1', 'next#1:early']);
  });

  test('a stop in the middle of a restart wins: nothing is started any more', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      onStart: ({ incarnation, signal }) => {
        if (incarnation === 1) return;
        return new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        });
      },
    });
    const system = await scene.start([a.spec]);
    await crash(scene, a);
    expect(scene.node('a').state).toBe('starting');
    await system.stop();
    await scene.clock.advance(1_000_000);
    expect(scene.node('a')).toMatchObject({ state: 'stopped', incarnation: 2 });
    expect(scene.clock.pendingTimers).toBe(0);
  });

  test('a stop during a backoff leaves the child down', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    await crash(scene, a, 2);
    expect(scene.node('a').state).toBe('backoff');
    await system.stop();
    await scene.clock.advance(1_000_000);
    expect(scene.node('a')).toMatchObject({ state: 'stopped', incarnation: 2 });
  });
});

describe('one_for_one', () => {
  test('restarts the failed child and no other', async () => {
    const scene = makeScene();
    const [a, b, c] = [scene.probe('a'), scene.probe('b'), scene.probe('c')];
    await scene.start([a.spec, b.spec, c.spec]);
    await crash(scene, b);
    expect(scene.journal.slice(3)).toEqual(['-b#1', '+b#2']);
  });

  test('a child that hangs at its start does not keep another from being restarted', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      onStart: ({ incarnation }) => (incarnation === 1 ? undefined : new Promise<void>(() => {})),
    });
    const b = scene.probe('b');
    await scene.start([a.spec, b.spec]);
    await crash(scene, a);
    await crash(scene, b);
    expect(scene.node('a').state).toBe('starting');
    expect(scene.node('b')).toMatchObject({ state: 'running', incarnation: 2 });
  });
});

describe('rest_for_one', () => {
  test('stops those started later in reverse, then starts all again in order', async () => {
    const scene = makeScene();
    const [a, b, c, d] = [scene.probe('a'), scene.probe('b'), scene.probe('c'), scene.probe('d')];
    await scene.start([a.spec, b.spec, c.spec, d.spec], 'rest_for_one');
    await crash(scene, b);
    expect(scene.journal.slice(4)).toEqual(['-b#1', '-d#1', '-c#1', '+b#2', '+c#2', '+d#2']);
    expect(scene.reports.find((report) => report.event === 'restarting')).toMatchObject({
      id: 'b',
      strategy: 'rest_for_one',
      alsoRestarted: ['c', 'd'],
    });
    expect(scene.reports.find((report) => report.id === 'c' && report.event === 'exited')).toMatchObject({
      reason: 'sibling_failed',
      errorCode: null,
    });
  });

  test('those stopped with a sibling are not charged for it', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a'), scene.probe('b')];
    await scene.start([a.spec, b.spec], 'rest_for_one');
    await crash(scene, a);
    expect(scene.node('b')).toMatchObject({ incarnation: 2, restartsInWindow: 0, lastError: null });
  });

  test('keeps the later ones down while an earlier one backs off, and their messages wait', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a'), scene.probe('b')];
    await scene.start([a.spec, b.spec], 'rest_for_one');
    await crash(scene, a, 2);
    expect(scene.node('b').state).toBe('backoff');
    expect(b.ref.tell({ type: 'note', text: 'kept' })).toBe('stashed');
    await scene.clock.advance(1_000);
    expect(scene.journal.slice(-3)).toEqual(['+a#3', '+b#3', 'b#3:kept']);
  });

  test('a failed first start holds back the later ones, and the system start does not wait for it', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      onStart: ({ incarnation }) => {
        if (incarnation < 3) throw new Error('not yet');
      },
    });
    const b = scene.probe('b');
    await scene.start([a.spec, b.spec], 'rest_for_one');
    expect([scene.node('a').state, scene.node('b').state]).toEqual(['backoff', 'backoff']);
    await scene.clock.advance(1_000);
    expect(scene.journal).toEqual(['+a#3', '+b#1']);
  });

  test('an earlier one that fails while a later one backs off does not shorten that backoff', async () => {
    const scene = makeScene();
    const [a, b, c] = [scene.probe('a'), scene.probe('b'), scene.probe('c')];
    await scene.start([a.spec, b.spec, c.spec], 'rest_for_one');
    await crash(scene, b, 2);
    await scene.clock.advance(400);
    await crash(scene, a);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
    expect(scene.node('b')).toMatchObject({ state: 'backoff', nextRestartInMs: 600 });
    await scene.clock.advance(600);
    expect(scene.journal.slice(-2)).toEqual(['+b#3', '+c#3']);
  });

  test('two that fail in the same moment are each restarted once', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a'), scene.probe('b')];
    await scene.start([a.spec, b.spec], 'rest_for_one');
    b.ref.tell({ type: 'crash' });
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle(30);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
    expect(scene.node('b')).toMatchObject({ state: 'running', incarnation: 2 });
  });

  test('a failure in the middle of a restart waits until that step is done', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const b = scene.probe('b', {
      onStart: ({ incarnation, clock }) =>
        incarnation === 1
          ? undefined
          : new Promise<void>((resolve) => {
              clock.after(100, resolve);
            }),
    });
    const c = scene.probe('c');
    await scene.start([a.spec, b.spec, c.spec], 'rest_for_one');
    await crash(scene, b);
    await scene.clock.advance(50);
    await crash(scene, a);
    expect(scene.node('b').state).toBe('starting');
    await scene.clock.advance(50);
    expect(scene.journal.slice(-4)).toEqual(['-a#1', '+b#2', '-b#2', '+a#2']);
    await scene.clock.advance(100);
    expect(scene.journal.slice(-2)).toEqual(['+b#3', '+c#2']);
    expect(scene.node('b').lastError?.count).toBe(1);
    expect(scene.events('started')).toHaveLength(3 + 1 + 4);
  });

  test('a parked one lets the later ones run, and its next try does not disturb them', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { budget: fewTries, onGiveUp: 'park' });
    const b = scene.probe('b');
    const system = await scene.start([a.spec, b.spec], 'rest_for_one');
    await crash(scene, a, 2);
    expect(scene.node('a').state).toBe('parked');
    expect(scene.node('b')).toMatchObject({ state: 'running', incarnation: 3 });
    system.wake('a');
    await scene.clock.settle();
    expect(scene.node('a').state).toBe('running');
    expect(scene.node('b')).toMatchObject({ state: 'running', incarnation: 3 });
  });

  test('a try of a parked one that fails does not disturb the later ones either', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      budget: fewTries,
      onGiveUp: 'park',
      onStart: ({ incarnation }) => {
        if (incarnation > 1) throw new Error('still broken');
      },
    });
    const b = scene.probe('b');
    const system = await scene.start([a.spec, b.spec], 'rest_for_one');
    await crash(scene, a);
    system.wake('a');
    await scene.clock.settle();
    expect(scene.node('a')).toMatchObject({ state: 'parked', incarnation: 3 });
    expect(scene.node('b')).toMatchObject({ state: 'running', incarnation: 2 });
  });
});

describe('giving up', () => {
  const tree = (a: Probe, b: Probe, onGiveUp: 'escalate' | 'park' = 'escalate'): SupervisorSpec =>
    supervisorSpec({
      id: 'root',
      strategy: 'one_for_one',
      children: [
        supervisorSpec({ id: 'part', strategy: 'one_for_one', children: [a.spec, b.spec], onGiveUp }),
      ],
    });

  test('escalates: the supervisor is restarted as a whole, with clean budgets', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a', { budget: fewTries }), scene.probe('b')];
    await scene.startTree(tree(a, b));
    await crash(scene, a, 2);
    expect(scene.journal.slice(-4)).toEqual(['-a#2', '-b#1', '+a#3', '+b#2']);
    expect(scene.node('a')).toMatchObject({ state: 'running', restartsInWindow: 0, restartsTotal: 2 });
    expect(scene.node('part')).toMatchObject({
      state: 'running',
      incarnation: 2,
      restartsInWindow: 1,
      budget: { max: 3, resetAfterMs: 600_000 },
      lastError: { message: 'crashed on purpose' },
    });
  });

  test('the third escalation within 600 s reaches the root, which reports it once', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a', { budget: fewTries }), scene.probe('b')];
    await scene.startTree(tree(a, b));
    await crash(scene, a, 5);
    expect(scene.rootGaveUp).toEqual([]);
    await crash(scene, a);
    expect(scene.rootGaveUp).toHaveLength(1);
    expect(scene.rootGaveUp[0]).toMatchObject({
      id: 'root',
      reason: 'escalated',
      message: 'crashed on purpose',
    });
    expect(scene.node('root').state).toBe('failed');
    expect(a.ref.tell({ type: 'crash' })).toBe('refused');
    await scene.clock.advance(1_000_000);
    expect(scene.rootGaveUp).toHaveLength(1);
  });

  test('two children of the root that give up are one report', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a', { budget: fewTries }), scene.probe('b', { budget: fewTries })];
    await scene.start([a.spec, b.spec]);
    await crash(scene, a, 2);
    await crash(scene, b, 2);
    expect(scene.rootGaveUp).toHaveLength(1);
  });

  test('escalations further apart than 600 s are borne for ever', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a', { budget: fewTries }), scene.probe('b')];
    await scene.startTree(tree(a, b));
    for (let round = 0; round < 5; round += 1) {
      await crash(scene, a, 2);
      await scene.clock.advance(301_000);
    }
    expect(scene.rootGaveUp).toEqual([]);
    expect(scene.node('part').incarnation).toBe(6);
  });

  test('a supervisor may be parked like any child', async () => {
    const scene = makeScene();
    const [a, b] = [scene.probe('a', { budget: fewTries }), scene.probe('b')];
    const system = await scene.startTree(tree(a, b, 'park'));
    await crash(scene, a, 6);
    expect(scene.node('part').state).toBe('parked');
    expect(b.ref.tell({ type: 'note', text: 'x' })).toBe('refused');
    system.wake('part');
    await scene.clock.settle();
    expect(scene.node('part').state).toBe('running');
    expect(b.ref.tell({ type: 'note', text: 'x' })).toBe('accepted');
  });
});

describe('a parked child', () => {
  const parked = async (scene: Scene, isCured: () => boolean) => {
    const a = scene.probe('a', {
      budget: fewTries,
      onGiveUp: 'park',
      onStart: ({ incarnation }) => {
        if (incarnation > 2 && !isCured()) throw new Error('still broken');
      },
    });
    const system = await scene.start([a.spec], 'one_for_one', { random: () => 0.5 });
    await crash(scene, a, 2);
    expect(scene.node('a')).toMatchObject({ state: 'parked', nextRestartInMs: 300_000 });
    return { a, system };
  };

  test('refuses messages and questions at once', async () => {
    const scene = makeScene();
    const { a, system } = await parked(scene, () => false);
    expect(a.ref.tell({ type: 'note', text: 'x' })).toBe('refused');
    const asked = a.ref.ask<number>((reply) => ({ type: 'get', reply }), { timeoutMs: 1_000 });
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    expect(system.deadLetters().sample.at(-1)?.reason).toBe('target_down');
  });

  test('is tried every 300 s, once each time', async () => {
    const scene = makeScene();
    let cured = false;
    const { a } = await parked(scene, () => cured);
    await scene.clock.advance(300_000);
    expect(scene.node('a')).toMatchObject({ state: 'parked', incarnation: 3 });
    expect(scene.reports.findLast((report) => report.event === 'woken')?.reason).toBe('timer');
    cured = true;
    await scene.clock.advance(300_000);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 4 });
    expect(a.ref.tell({ type: 'note', text: 'x' })).toBe('accepted');
  });

  test('is tried at once when woken, and reports who asked', async () => {
    const scene = makeScene();
    const { system } = await parked(scene, () => true);
    system.wake('a');
    await scene.clock.settle();
    expect(scene.node('a').state).toBe('running');
    expect(scene.events().slice(-4)).toEqual(['gave-up:a', 'parked:a', 'woken:a', 'started:a']);
    expect(scene.reports.at(-2)?.reason).toBe('asked');
  });

  test('waking a child that is up changes nothing; waking an unknown one is an error', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    system.wake('a');
    await scene.clock.settle();
    expect(scene.node('a').incarnation).toBe(1);
    expect(() => system.wake('nobody')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  test.each([
    [0, 240_000],
    [1, 360_000],
  ])('with chance %f waits %i ms, so that parked children spread', async (u, waitMs) => {
    const scene = makeScene();
    const a = scene.probe('a', { budget: { ...fewTries, max: 0 }, onGiveUp: 'park' });
    await scene.start([a.spec], 'one_for_one', { random: () => u });
    await crash(scene, a);
    expect(scene.node('a').nextRestartInMs).toBeCloseTo(waitMs);
  });
});

describe('reports', () => {
  test('tell a crash as exited, restarting, started, with cause, length and loss', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    await scene.clock.advance(1_234);
    scene.reports.length = 0;
    await crash(scene, a);
    expect(scene.reports).toMatchObject([
      {
        event: 'exited',
        id: 'a',
        kind: 'actor',
        incarnation: 1,
        reason: 'crashed',
        errorCode: 'internal',
        message: 'crashed on purpose',
        stack: expect.stringContaining('scene.ts'),
        lifeMs: 1_234,
        lost: { mailbox: 0, asks: 0 },
        strategy: 'one_for_one',
      },
      { event: 'restarting', reason: 'crashed', count: 1, delayMs: 0, stack: null, alsoRestarted: [] },
      { event: 'started', incarnation: 2, reason: null, count: 1 },
    ]);
  });

  test('a listener that throws harms nobody', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec], 'one_for_one', {
      onReport: () => {
        throw new Error('listener');
      },
    });
    await crash(scene, a);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
  });

  test('the tree is plain data that survives being copied', async () => {
    const scene = makeScene();
    const a = scene.probe('a', {
      critical: true,
      onStart: ({ setProcess }) => setProcess({ pid: 42, threadId: 7 }),
    });
    const system = await scene.start([a.spec]);
    await scene.clock.settle();
    const snapshot = system.snapshot();
    expect(structuredClone(snapshot)).toEqual(snapshot);
    expect(snapshot.children[0]).toEqual({
      id: 'a',
      path: 'root/a',
      kind: 'actor',
      strategy: null,
      state: 'running',
      incarnation: 1,
      startedAtMs: scene.clock.wallMs(),
      restartsTotal: 0,
      restartsInWindow: 0,
      budget: { max: 5, resetAfterMs: 300_000 },
      nextRestartInMs: null,
      lastError: null,
      mailbox: { depth: 0, limit: 1_024, highWater: 0, oldestMs: 0, dropped: 0 },
      busyMs: 0,
      handledTotal: 0,
      slowTotal: 0,
      heartbeatAgeMs: 0,
      pid: 42,
      threadId: 7,
      critical: true,
      children: [],
    });
  });

  test('R-32: a wall clock that jumps by an hour moves no restart and no deadline', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    await crash(scene, a, 2);
    scene.clock.jumpWall(-3_600_000);
    expect(scene.node('a').nextRestartInMs).toBe(1_000);
    await scene.clock.advance(1_000);
    expect(scene.node('a').state).toBe('running');
  });

  test('the count is forgotten once a life has lasted long enough', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    await crash(scene, a);
    await scene.clock.advance(299_999);
    expect(scene.node('a').restartsInWindow).toBe(1);
    await scene.clock.advance(1);
    expect(scene.node('a').restartsInWindow).toBe(0);
  });
});
