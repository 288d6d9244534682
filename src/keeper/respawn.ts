// How often a daemon may die before its mount is given up. Pure.

/** How a life ended. */
export interface Death {
  readonly lifeMs: number;
  /** It had answered a request of the kernel. */
  readonly hasAnswered: boolean;
  /** Somebody else ended it: the system without memory, a person. Not the program, and not its watchdog. */
  readonly wasKilled: boolean;
}

export interface RespawnDecision {
  /** Deaths that count against the budget from now on. */
  readonly failures: number;
  /** ms until the next life; null: the mount is given up. */
  readonly delayMs: number | null;
}

const delaysMs = [0, 1_000, 5_000, 30_000, 30_000];
/** A life this long shows that the program works. */
const clearsAfterMs = 60_000;

/**
 * One that was killed at work is followed at once, as often as it happens: its program works. Any other death is one of
 * a row of at most five.
 */
export function decideRespawn(failures: number, death: Death): RespawnDecision {
  if (death.wasKilled && death.hasAnswered) return { failures: 0, delayMs: 0 };
  const counted = death.lifeMs >= clearsAfterMs ? 1 : failures + 1;
  return { failures: counted, delayMs: delaysMs[counted - 1] ?? null };
}
