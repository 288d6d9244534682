// A process for pictures that takes too long, seen from the daemon: what it did with its time is told to its trade.
import { expect, it, onTestFinished } from 'vitest';
import type { Trade } from '../../../src/artwork/picture-child.ts';
import { PictureWorker } from '../../../src/artwork/picture-worker.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { eventually } from '../../fixtures/eventually.ts';

const greeting = `require('fs').writeSync(3, Buffer.from([0, 0, 0, 1, 0]));`;

/** A process that greets, and then does that with its first question. */
function tradeOf(script: string, onLate: (usedCpuMs: number | null) => void): Trade<string, string> {
  return {
    name: 'test process',
    command: () => [process.execPath, '-e', `${greeting} process.stdin.once('data', () => { ${script} })`],
    environment: {},
    encode: (question) => [Buffer.from(question)],
    parse: (packet) => packet.toString(),
    longestAnswerBytes: 100,
    answerMs: 1_000,
    late: (usedCpuMs) => {
      onLate(usedCpuMs);
      return new MusicfsError('deadline_exceeded', 'late');
    },
  };
}

it.each([
  ['computed', 'for (;;);', (ms: number) => ms >= 200],
  ['waited', 'setTimeout(() => {}, 60_000);', (ms: number) => ms < 200],
])('one that %s until its time was up is told from one that did not', async (_, script, isRight) => {
  const used: (number | null)[] = [];
  const worker = new PictureWorker(
    tradeOf(script, (ms) => used.push(ms)),
    systemClock,
  );
  onTestFinished(() => worker.close());
  await expect(worker.ask('x', new AbortController().signal)).rejects.toMatchObject({ message: 'late' });
  expect(used).toHaveLength(1);
  expect(used[0]).not.toBeNull();
  expect(isRight(used[0] ?? -1)).toBe(true);
});

it.each([
  ['no greeting', `require('fs').writeSync(3, Buffer.from([0, 0, 0, 2, 1, 1]))`, 'no greeting'],
  [
    'an answer of 4 GB',
    `${greeting} process.stdin.once('data', () => require('fs').writeSync(3, Buffer.alloc(4, 255)))`,
    'an answer of impossible length',
  ],
])('one that says %s is not listened to any more', async (_, script, said) => {
  const trade: Trade<string, string> = {
    ...tradeOf('', () => undefined),
    command: () => [process.execPath, '-e', `${script}; setTimeout(() => {}, 60_000)`],
  };
  const worker = new PictureWorker(trade, systemClock);
  onTestFinished(() => worker.close());
  await expect(worker.ask('x', new AbortController().signal)).rejects.toMatchObject({
    code: 'unavailable',
    message: `the test process sent ${said}`,
  });
  expect(worker.pid).toBeNull();
});

it('one that answers twice is not listened to any more, and another takes the next question', async () => {
  const twice = `require('fs').writeSync(3, Buffer.from([0, 0, 0, 1, 65, 0, 0, 0, 1, 66]))`;
  const worker = new PictureWorker(
    tradeOf(twice, () => undefined),
    systemClock,
  );
  onTestFinished(() => worker.close());
  const { signal } = new AbortController();
  expect(await worker.ask('x', signal)).toBe('A');
  await eventually('it is over', () => worker.pid === null);
  expect(await worker.ask('y', signal)).toBe('A');
});
