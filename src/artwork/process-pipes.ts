// The side of the pipes that a process for pictures has: questions on its standard input, answers on its descriptor 3.
// Everything waits, as such a process has nothing else to do.
import { readSync, writeSync } from 'node:fs';
import { errnoOf } from '../platform/errors.ts';

const questionFd = 0;
const answerFd = 3;

/** The next bytes of the input; null at its end. */
export function take(lengthBytes: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  for (let taken = 0; taken < lengthBytes; ) {
    const count = withoutHaste(() => readSync(questionFd, bytes, { offset: taken }));
    if (count === 0) return null;
    taken += count;
  }
  return bytes;
}

export function say(bytes: Uint8Array): void {
  for (let said = 0; said < bytes.length; ) said += withoutHaste(() => writeSync(answerFd, bytes, said));
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Waits where the pipe would not: its descriptor need not be a blocking one. */
function withoutHaste(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (errnoOf(error) === 'EOF') return 0;
      if (errnoOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(sleepCell, 0, 0, 1);
    }
  }
}
