// Waits for work that may never end, but not longer than agreed. Used where a life is closed.
import type { Clock } from '../platform/clock.ts';

/** True when `work` has settled within `limitMs`; false at the limit, and then the work goes on unwatched. */
export async function endsWithin(limitMs: number, work: Promise<void>, clock: Clock): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.after(limitMs, () => resolve(false));
  work.then(
    () => resolve(true),
    () => resolve(true),
  );
  const isInTime = await promise;
  cancel();
  return isInTime;
}
