// Every number that bounds or times supervision, in one place. A child spec may override those that say so.
// Nothing here knows what an actor does; the tree's owner chooses budgets with names from child-spec.ts.

export const limits = {
  /** Longest time one start may take, ms. A start opens files and threads; longer means it is stuck. Per spec. */
  startMs: 5_000,
  /** Time to close an actor's life before it is left behind, ms: stop runs while people wait for exit. Per spec. */
  shutdownMs: 1_000,
  /** Messages that wait in one mailbox: about 1 s of work for a handler that takes 1 ms. Per spec. */
  mailboxMessages: 1_024,
  /** A life's own messages may fill this many mailboxes; more means it floods itself, and the life fails. */
  ownMailboxFactor: 2,
  /** A mailbox that never got below its bound for this long, ms, belongs to an actor that does not move. */
  mailboxFullMs: 10_000,
  /** Messages kept for a child that is between two lives. Per spec. */
  stashMessages: 256,
  /** A kept message older than this, ms, is refused: its sender has given up by then. Per spec. */
  stashAgeMs: 5_000,
  /** Time between two pings, ms, and how many may go unanswered: a hang is found within three periods, 9 s. */
  heartbeatMs: 3_000,
  heartbeatsMissed: 2,
  /** A handler above this, ms, is counted as slow: it delays everything else on the thread. */
  slowHandlerMs: 5,
  /** Between two tries of a parked child, ms, ± the fraction, so that parked children do not come in step. */
  parkedRetryMs: 300_000,
  parkedRetryJitter: 0.2,
  /** Lives of one actor that may be left behind; each holds memory until the process ends. */
  abandonedLives: 3,
  /** Dead letters remembered for display, newest last. */
  deadLetterSample: 20,
  /** At most one log line about dead letters in this time, ms; the line carries how many it stands for. */
  deadLetterLogMs: 1_000,
} as const;
