// What every part of one running system shares. Made by startSystem, handed down, never global.
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Failure } from './failure.ts';
import type { TurnSource } from './nact-mailbox.ts';
import type { SupervisionReport } from './supervision-report.ts';

/** An order to misbehave, for tests of the whole daemon. */
export type Interception = { readonly type: 'hang' } | { readonly type: 'delay'; readonly ms: number };

/**
 * Asked before each start, each handled message (pings too, so that an idle actor is reached) and each answer to a ping
 * (`heartbeat`, where a hang leaves out that answer and nothing else). A throw counts as the child's own failure. Before
 * a restart only a delay is obeyed.
 */
export type Intercept = (
  id: string,
  where: 'start' | 'handle' | 'heartbeat' | 'restart',
) => Interception | null;

export interface Environment {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0..1, spreads restarts. */
  readonly random: () => number;
  readonly intercept: Intercept;
  readonly deadLetters: DeadLetters;
  readonly turns: TurnSource;
  report(report: SupervisionReport): void;
  /** True when the failure of this first start means that the system is not to start at all. */
  refuses(failure: Failure, incarnation: number): boolean;
  /** True once a start has been refused: nothing further is started. */
  isRefused(): boolean;
}

/** Waits as ordered: until the delay is over, or for ever. */
export function obey(order: Interception, clock: Clock): Promise<void> {
  switch (order.type) {
    case 'hang':
      return new Promise(() => {});
    case 'delay':
      return new Promise((resolve) => {
        clock.after(order.ms, resolve);
      });
  }
}
