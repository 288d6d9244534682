// The only file that touches nact. It takes from nact what nact is good at: a named process per life that runs one
// handler after the other, each in a turn of its own, and that can be stopped.
//
// Everything else stays outside, because bare nact has no answer to it: it must never see an exception (its policies
// lose messages and restart without limit), never reset (two handlers of one actor would overlap), never hold a
// message (its mailbox has no bound: here it holds one token for each message that waits with us), and never keep time.
import { dispatch, spawn, start, stop } from 'nact';

/** One process in nact; belongs to one life. */
export interface Turns {
  /** Asks for one more run of the step. Ignored once stopped. */
  request(): void;
  /** No further step begins. One that is under way is not waited for. May be called twice. */
  stop(): void;
}

/**
 * A step turns the state into the next one. It must not throw or reject. While its promise is pending no other step
 * begins.
 */
type Step<S> = (state: S) => S | Promise<S>;

export interface TurnSource {
  /** A process named `<id>#<incarnation>`, unique for ever within the source. */
  spawn<S>(name: string, initialState: S, step: Step<S>): Turns;
  /** Stops all that is left and forgets the source. */
  close(): void;
}

export function openTurnSource(): TurnSource {
  const system = start();
  return {
    spawn(name, initialState, step) {
      // nact's names have no `#`.
      const process = spawn(system, (state, _token: null) => step(state), name.replace('#', '!'), {
        initialStateFunc: () => initialState,
        onCrash: (_token, _error, context) => context.stop,
      });
      return {
        request: () => dispatch(process, null),
        stop: () => stop(process),
      };
    },
    close: () => stop(system),
  };
}
