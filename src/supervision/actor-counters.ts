// What is counted about one actor over all its lives. Owned by the actor's node, written by each life, read by
// snapshots; never reset.

export interface ActorCounters {
  handledTotal: number;
  /** Handlers that took longer than 5 ms. */
  slowTotal: number;
  /** Time spent in handlers, ms. */
  busyMs: number;
  /** Messages lost to a full mailbox or stash. */
  dropped: number;
  /** Greatest number of messages that waited at a time. */
  highWater: number;
}

export function noCounts(): ActorCounters {
  return { handledTotal: 0, slowTotal: 0, busyMs: 0, dropped: 0, highWater: 0 };
}
