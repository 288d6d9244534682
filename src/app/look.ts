// One look at the whole library, in a thread of its own that ends with its answer: see catalog/look-thread.ts.
import { Worker } from 'node:worker_threads';
import type { LookAnswer, LookTask } from '../catalog/look-thread.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';

/** Rejects with what the look failed with. Aborting ends the thread. */
export function look(task: LookTask, signal: AbortSignal): Promise<LookAnswer> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('../catalog/look-thread.ts', import.meta.url), {
      name: 'library-look',
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    const abort = () => {
      void thread.terminate();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    thread.on('message', (answer: LookAnswer) => {
      if (answer.type === 'failed') reject(new MusicfsError(answer.code, answer.message));
      else resolve(answer);
    });
    thread.on('error', (error) => reject(new MusicfsError('unavailable', messageOf(error))));
    thread.on('exit', () => {
      signal.removeEventListener('abort', abort);
      reject(new MusicfsError('unavailable', 'the look at the library ended without an answer'));
    });
  });
}
