import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { Emitter } from '../../../src/supervision/actor-life.ts';
import { actorRef, type Reply } from '../../../src/supervision/actor-ref.ts';
import { actorSpec } from '../../../src/supervision/child-spec.ts';
import { makeScene } from './scene.ts';

const now = { timeoutMs: 1_000 };

describe('messages to an actor that is up', () => {
  test('are handled one by one in the order sent', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    for (const text of ['1', '2', '3']) expect(a.ref.tell({ type: 'note', text })).toBe('accepted');
    await scene.clock.settle();
    expect(scene.journal).toEqual(['+a#1', 'a#1:1', 'a#1:2', 'a#1:3']);
    expect(scene.node('a').handledTotal).toBe(3);
  });

  test('a question is answered with the value or with the code of the actor', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    a.ref.tell({ type: 'note', text: 'x' });
    await expect(a.ref.ask<number>((reply) => ({ type: 'get', reply }), now)).resolves.toBe(1);
    const refused = a.ref.ask<number>((reply) => {
      reply.reject('not_found', 'no such thing');
      return { type: 'hold', reply };
    }, now);
    await expect(refused).rejects.toMatchObject({ code: 'not_found', message: 'no such thing' });
  });

  test('a question without an answer ends at its deadline, and the late answer is a dead letter', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    let kept: Reply<number> | undefined;
    const answer = a.ref.ask<number>(
      (reply) => {
        kept = reply;
        return { type: 'hold', reply };
      },
      { timeoutMs: 200 },
    );
    const outcome = expect(answer).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await scene.clock.advance(199);
    expect(system.deadLetters().total).toBe(0);
    await scene.clock.advance(1);
    await outcome;
    kept?.resolve(7);
    expect(system.deadLetters().sample).toMatchObject([{ id: 'a', reason: 'late_reply' }]);
  });

  test('a second answer to one question is a dead letter', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    const answer = a.ref.ask<number>((reply) => {
      reply.resolve(1);
      reply.resolve(2);
      return { type: 'hold', reply };
    }, now);
    await expect(answer).resolves.toBe(1);
    expect(system.deadLetters().sample[0]?.reason).toBe('late_reply');
  });

  test('a cancelled question rejects at once and is skipped in the mailbox', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    const aborter = new AbortController();
    const asked = a.ref.ask<number>((reply) => ({ type: 'get', reply }), { ...now, signal: aborter.signal });
    aborter.abort();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    await scene.clock.settle();
    expect(scene.node('a').handledTotal).toBe(0);
    expect(system.deadLetters().sample[0]?.reason).toBe('asker_gone');
    const early = a.ref.ask<number>((reply) => ({ type: 'get', reply }), { ...now, signal: aborter.signal });
    await expect(early).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('settled questions leave no timer behind', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    await scene.clock.settle();
    const before = scene.clock.pendingTimers;
    await a.ref.ask<number>((reply) => ({ type: 'get', reply }), now);
    expect(scene.clock.pendingTimers).toBe(before);
  });

  test('a reference that was never started refuses', async () => {
    const ref = actorRef<{ readonly type: 'x' }>('nobody');
    expect(ref.tell({ type: 'x' })).toBe('refused');
    await expect(ref.ask(() => ({ type: 'x' }), now)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a flood', () => {
  const flood = (tell: (at: number) => string, count: number): Record<string, number> => {
    const outcomes: Record<string, number> = {};
    for (let at = 0; at < count; at += 1) {
      const outcome = tell(at);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    return outcomes;
  };

  test('T20: past the bound is refused and counted, and the actor lives on', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 64 } });
    await scene.start([a.spec]);
    const outcomes = flood((at) => a.ref.tell({ type: 'note', text: `${at}` }), 100_000);
    expect(outcomes).toEqual({ accepted: 64, refused: 99_936 });
    const asked = a.ref.ask<number>((reply) => ({ type: 'get', reply }), now);
    await expect(asked).rejects.toMatchObject({ code: 'overloaded' });
    expect(scene.node('a').mailbox).toMatchObject({ depth: 64, limit: 64, highWater: 64, dropped: 99_937 });
    await scene.clock.settle(100);
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 1, handledTotal: 64 });
    await expect(a.ref.ask<number>((reply) => ({ type: 'get', reply }), now)).resolves.toBe(64);
  });

  test('with drop-oldest keeps the newest', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 3, overflow: 'drop-oldest' } });
    await scene.start([a.spec]);
    expect(flood((at) => a.ref.tell({ type: 'note', text: `${at}` }), 10)).toEqual({ accepted: 10 });
    await scene.clock.settle();
    expect(scene.journal.slice(1)).toEqual(['a#1:7', 'a#1:8', 'a#1:9']);
    expect(scene.node('a').mailbox).toMatchObject({ dropped: 7, depth: 0 });
  });

  test('with drop-newest keeps the oldest and counts the rest as dead letters', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 3, overflow: 'drop-newest' } });
    const system = await scene.start([a.spec]);
    flood((at) => a.ref.tell({ type: 'note', text: `${at}` }), 10);
    await scene.clock.settle();
    expect(scene.journal.slice(1)).toEqual(['a#1:0', 'a#1:1', 'a#1:2']);
    expect(system.deadLetters()).toMatchObject({ total: 7 });
  });

  test('does not cost the actor its own messages', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 4 } });
    await scene.start([a.spec]);
    flood((at) => a.ref.tell({ type: 'note', text: `${at}` }), 10);
    a.contexts[0]?.self.tell({ type: 'note', text: 'own' });
    await scene.clock.settle();
    expect(scene.journal.at(-1)).toBe('a#1:own');
  });

  test('of an actor against itself is a failure', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 4 } });
    await scene.start([a.spec]);
    for (let at = 0; at < 9; at += 1) a.contexts[0]?.self.tell({ type: 'note', text: `${at}` });
    await scene.clock.settle();
    expect(scene.reports.find((report) => report.event === 'exited')).toMatchObject({
      reason: 'mailbox_stuck',
    });
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
  });

  test('that goes on for a minute while the actor keeps working is no failure', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 4 } });
    await scene.start([a.spec]);
    for (let second = 0; second < 60; second += 1) {
      flood((at) => a.ref.tell({ type: 'note', text: `${at}` }), 100);
      await scene.clock.advance(1_000);
    }
    expect(scene.node('a')).toMatchObject({ incarnation: 1, handledTotal: 240 });
  });

  test('a mailbox that stays at its bound for 10 s is a failure even without heartbeats', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { mailbox: { bound: 4 }, heartbeat: { everyMs: 3_600_000 } });
    let isHeld = false;
    await scene.start([a.spec], 'one_for_one', { intercept: () => (isHeld ? { type: 'hang' } : null) });
    await scene.clock.settle();
    isHeld = true;
    flood((at) => a.ref.tell({ type: 'note', text: `${at}` }), 4);
    await scene.clock.settle();
    a.ref.tell({ type: 'note', text: 'fills it again' });
    await scene.clock.advance(9_999);
    expect(scene.events('exited')).toEqual([]);
    isHeld = false;
    await scene.clock.advance(1 + 1_000);
    expect(scene.reports.find((report) => report.event === 'exited')).toMatchObject({
      reason: 'mailbox_stuck',
      errorCode: 'overloaded',
      lost: { mailbox: 4, asks: 0 },
    });
    expect(scene.node('a')).toMatchObject({ state: 'running', incarnation: 2 });
  });
});

describe('a message for an actor that is down', () => {
  const budget = { delaysMs: [3_000], max: 5, jitter: 0, resetAfterMs: 300_000, resetNeedsWork: false };

  test('T11: waits for the next life and reaches it in order', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { budget });
    await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    expect(a.ref.tell({ type: 'note', text: '1' })).toBe('stashed');
    const answer = a.ref.ask<number>((reply) => ({ type: 'get', reply }), { timeoutMs: 4_000 });
    expect(scene.node('a')).toMatchObject({ state: 'backoff', mailbox: { depth: 2 } });
    await scene.clock.advance(3_000);
    expect(scene.journal.slice(-2)).toEqual(['+a#2', 'a#2:1']);
    await expect(answer).resolves.toBe(1);
  });

  test('T11: is refused and counted when it waited too long', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { budget, stash: { maxAgeMs: 500 } });
    const system = await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    a.ref.tell({ type: 'note', text: 'lost' });
    const answer = a.ref.ask<number>((reply) => ({ type: 'get', reply }), { timeoutMs: 4_000 });
    const outcome = expect(answer).rejects.toMatchObject({ code: 'unavailable' });
    await scene.clock.advance(500);
    await outcome;
    expect(system.deadLetters().sample.map((letter) => letter.reason)).toEqual([
      'stash_expired',
      'stash_expired',
    ]);
    await scene.clock.advance(3_000);
    expect(scene.journal).not.toContain('a#2:lost');
  });

  test('is refused when the stash is full', async () => {
    const scene = makeScene();
    const a = scene.probe('a', { budget, stash: { bound: 2 } });
    await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    const outcomes = ['1', '2', '3'].map((text) => a.ref.tell({ type: 'note', text }));
    expect(outcomes).toEqual(['stashed', 'stashed', 'refused']);
    const asked = a.ref.ask<number>((reply) => ({ type: 'get', reply }), now);
    await expect(asked).rejects.toMatchObject({ code: 'overloaded' });
    expect(scene.node('a').mailbox.dropped).toBe(2);
  });

  test('T11: messages in the mailbox of a life that ends are counted, and their number is in the report', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    a.ref.tell({ type: 'note', text: 'behind' });
    const held = a.ref.ask<number>((reply) => ({ type: 'get', reply }), now);
    await expect(held).rejects.toMatchObject({ code: 'unavailable' });
    await scene.clock.settle();
    expect(scene.reports.find((report) => report.event === 'exited')?.lost).toEqual({ mailbox: 2, asks: 1 });
    expect(system.deadLetters().sample.map((letter) => letter.messageType)).toEqual(['note', 'get']);
  });
});

describe('callbacks of a life', () => {
  test('T15: a timer that throws, an event that throws and a reported death fail the life', async () => {
    const scene = makeScene();
    const emitter = new EventEmitter();
    const a = scene.probe('a', {
      onStart: (context) => {
        if (context.incarnation === 1) {
          context.scope.timer(100, () => {
            throw new Error('timer');
          });
        }
        if (context.incarnation === 2) {
          context.scope.listen(emitter, 'data', () => {
            throw new Error('event');
          });
        }
      },
      budget: { delaysMs: [0], max: 5, jitter: 0, resetAfterMs: 1, resetNeedsWork: false },
    });
    await scene.start([a.spec]);
    await scene.clock.advance(100);
    expect(scene.node('a')).toMatchObject({ incarnation: 2, lastError: { message: 'timer' } });
    emitter.emit('data');
    await scene.clock.settle();
    expect(scene.node('a')).toMatchObject({ incarnation: 3, lastError: { message: 'event' } });
    a.contexts[2]?.fail(new Error('worker gone'));
    await scene.clock.settle();
    expect(scene.node('a')).toMatchObject({
      incarnation: 4,
      lastError: { message: 'worker gone', count: 3 },
    });
  });

  test('become messages, and stop with the life', async () => {
    const scene = makeScene();
    const emitter = new EventEmitter();
    const a = scene.probe('a', {
      onStart: ({ scope }) => {
        scope.listen(emitter, 'data', (text: string) => ({ type: 'note', text }));
        scope.timer(100, { type: 'note', text: 'timer' });
      },
    });
    await scene.start([a.spec]);
    emitter.emit('data', 'event');
    await scene.clock.advance(100);
    expect(scene.journal.slice(1)).toEqual(['a#1:event', 'a#1:timer']);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    expect(emitter.listenerCount('data')).toBe(1);
    emitter.emit('data', 'again');
    await scene.clock.settle();
    expect(scene.journal.filter((line) => line.endsWith(':again'))).toEqual(['a#2:again']);
  });

  test('an undone timer does not fire', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    await scene.start([a.spec]);
    const undo = a.contexts[0]?.scope.timer(10, { type: 'note', text: 'no' });
    undo?.();
    undo?.();
    await scene.clock.advance(20);
    expect(scene.journal).toEqual(['+a#1']);
  });

  test('T18: a late answer of an old life is dropped and counted, and never reaches the new one', async () => {
    const scene = makeScene();
    const a = scene.probe('a');
    const system = await scene.start([a.spec]);
    a.ref.tell({ type: 'crash' });
    await scene.clock.settle();
    a.contexts[0]?.self.tell({ type: 'note', text: 'late' });
    await scene.clock.settle();
    expect(scene.journal).not.toContain('a#2:late');
    expect(system.deadLetters().sample).toMatchObject([{ id: 'a', incarnation: 1, reason: 'late' }]);
  });
});

test('workers, child processes, sockets and streams can be listened to', () => {
  type Listenable = readonly [EventEmitter, Worker, ChildProcess, Socket, Readable];
  const isEmitter: Listenable[number] extends Emitter ? true : false = true;
  expect(isEmitter).toBe(true);
});

test('a spec, a reference and a life must agree in type', () => {
  const ref = actorRef<{ readonly type: 'x' }>('a');
  const spec = actorSpec({
    ref,
    start: () => ({ initialState: () => 0, handle: (state: number) => state + 1 }),
  });
  expect(spec).toMatchObject({ id: 'a', mailbox: { bound: 1_024, overflow: 'refuse' }, critical: false });
  // @ts-expect-error a message of another type is refused by the compiler
  ref.tell({ type: 'y' });
});
