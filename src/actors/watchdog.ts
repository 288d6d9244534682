// The actor that decides whether this life of the daemon is well, and tells whoever would end it otherwise.
//
// Owns: the probe that is under way, the measure of the event loop. A restart loses nothing. While a check fails it
// says nothing at all: after some silence the keeper or the service manager ends this life and starts the next, which
// takes the mount over.
// Mailbox: its own messages only.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Failpoints } from '../platform/failpoints.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import type { ActorSnapshot } from '../supervision/actor-snapshot.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import type { StatusBoard } from './status-board.ts';
import { verdictOf } from './watchdog-checks.ts';

export type WatchdogMessage =
  | { readonly type: 'check' }
  | { readonly type: 'probed'; readonly problem: string | null };

export interface WatchdogOptions {
  readonly board: StatusBoard;
  readonly snapshot: () => ActorSnapshot | null;
  readonly failpoints: Failpoints;
  /** Asks the mount through the mount, from another process. Resolves within `limitMs` to what is wrong, or null. */
  readonly probe: (limitMs: number) => Promise<string | null>;
  /** All is well. */
  readonly onAlive: () => void;
}

interface State {
  readonly isFailing: boolean;
  readonly heartbeat: number;
  readonly heartbeatMovedAtMs: number;
}

const watchdog = actorRef<WatchdogMessage>('watchdog');

const checkEveryMs = 10_000;
/** After a failure: two chances more before the silence is too long. */
const checkAgainMs = 2_000;
const probeMs = 5_000;
const loopResolutionMs = 20;

export function watchdogSpec(options: WatchdogOptions): ActorSpec<WatchdogMessage, State> {
  return actorSpec({ ref: watchdog, start: (context) => startLife(context, options), critical: true });
}

function startLife(
  context: ActorContext<WatchdogMessage>,
  { board, snapshot, failpoints, probe, onAlive }: WatchdogOptions,
): ActorLife<State, WatchdogMessage> {
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();
  context.scope.defer(() => {
    loop.disable();
    board.watchdog = null;
  });
  context.self.tell({ type: 'check' });

  return {
    initialState: () => ({
      isFailing: false,
      heartbeat: -1,
      heartbeatMovedAtMs: context.clock.monotonicMs(),
    }),
    handle(state, message) {
      switch (message.type) {
        case 'check':
          probe(probeMs).then(
            (problem) => context.self.tell({ type: 'probed', problem }),
            (error: unknown) => context.fail(error),
          );
          return state;
        case 'probed':
          return judge(state, failpoints.check('watchdog.probe') === null ? message.problem : 'it is denied');
      }
    },
  };

  function judge(state: State, problem: string | null): State {
    const now = context.clock.monotonicMs();
    const heartbeat = board.fuse?.heartbeat() ?? state.heartbeat;
    const heartbeatMovedAtMs = heartbeat === state.heartbeat ? state.heartbeatMovedAtMs : now;
    const problems = verdictOf({
      probe: problem,
      loopDelayMs: loop.max / 1e6,
      serverSilentMs: now - heartbeatMovedAtMs,
      tree: snapshot(),
    });
    loop.reset();
    board.watchdog = problems;
    const isFailing = problems.length > 0;
    if (isFailing) context.log.error({ event: 'watchdog_withheld', problems });
    else if (failpoints.check('watchdog.ping') === null) onAlive();
    if (state.isFailing && !isFailing) context.log.info({ event: 'watchdog_recovered' });
    context.scope.timer(isFailing ? checkAgainMs : checkEveryMs, { type: 'check' });
    return { isFailing, heartbeat, heartbeatMovedAtMs };
  }
}
