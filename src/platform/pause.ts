// Waiting for a time to pass, on a given clock, as long as nobody gives up.
import type { Clock } from './clock.ts';

/** Rejects with the signal's reason when that aborts first; nothing is left of it afterwards. */
export function pauseFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = () => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', aborted);
      resolve();
    });
    signal.addEventListener('abort', aborted, { once: true });
  });
}
