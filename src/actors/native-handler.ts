// The fuse handler of driver fuse-native: watches the driver's process and knows when the kernel has forgotten.
//
// Owns: nothing that a restart loses. The process is the daemon's, as the mount lives as long as it does: the next life
// of the actor finds it serving. When the process died, so did the mount; the next life starts another, which mounts
// anew, within the budget of the read path. Files that were open then answer ENOTCONN.
// The kernel cannot be told anything by this driver: what was published is seen by everybody when the time has passed
// for which the kernel may keep a name. Until then the rows stay in the catalog.
// Mailbox: 1,024 messages, past that the oldest go: what is lost are hints that the catalog has news.
import type { NativeNews, NativeProcess } from '../fuse/drivers/fuse-native/native-process.ts';
import { reportDeath } from '../platform/crash-report.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import { type FuseHandlerMessage, fuseHandler } from './fuse-handler.ts';
import type { StatusBoard } from './status-board.ts';
import { forgetTold, nothingPulled, type PullState, publishedTeller } from './tell-published.ts';

export interface NativeHandlerOptions {
  readonly process: NativeProcess;
  /** What the special files show now, by name. */
  readonly specialTexts: () => Readonly<Record<string, string>>;
  /** A scan of all origins is asked for. */
  readonly onRefreshAsked: () => void;
  /** The mount ends: the process ends with the actor. */
  readonly isEnding: () => boolean;
  readonly board: StatusBoard;
  /** Armed failpoints of the process, for the next one. */
  readonly failpoints: () => readonly string[];
  /** The mount answers; called for each life. */
  readonly onServing: (hasResend: boolean) => void;
  /** Somebody unmounted. */
  readonly onSessionEnded: (errno: string) => void;
}

interface State extends PullState {
  readonly heartbeat: number;
  readonly heartbeatMovedAtMs: number;
  readonly requests: number;
}

const heartbeatCheckMs = 1000;
const stopMs = 1_000;

export function nativeHandlerSpec(options: NativeHandlerOptions): ActorSpec<FuseHandlerMessage, State> {
  return actorSpec({
    ref: fuseHandler,
    start: (context) => startLife(context, options),
    shutdownMs: stopMs + 1_500,
    budget: readPathBudget,
    mailbox: { overflow: 'drop-oldest' },
    critical: true,
  });
}

async function startLife(
  context: ActorContext<FuseHandlerMessage>,
  options: NativeHandlerOptions,
): Promise<ActorLife<State, FuseHandlerMessage>> {
  const { process, isEnding, board, failpoints, onServing, onSessionEnded } = options;
  const { counters } = process;
  board.fuse = counters;
  context.scope.defer(() => {
    board.serving = { ...board.serving, isServing: false };
  });
  await process.ensureServing(failpoints(), context.signal);
  context.scope.listen(process, 'news', (news: NativeNews) => ({ type: 'process-said', news }) as const);
  if (process.pid !== null) context.setProcess({ pid: process.pid });
  onServing(false);
  board.serving = { isServing: true, isAdopted: false, kernelFeatures: [] };
  process.command({ type: 'special-texts', texts: options.specialTexts() });
  const published = publishedTeller(context, {
    tell: () => Promise.resolve(),
    toldAll: async (lastId) => {
      await new Promise<void>((resolve) =>
        context.clock.after(limits.pathDriverTtlSeconds * 1000, () => resolve()),
      );
      forgetTold(context, lastId);
    },
  });
  context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
  context.self.tell({ type: 'published' }); // what an earlier life left

  return {
    initialState: () => ({
      ...nothingPulled,
      heartbeat: counters.heartbeat(),
      heartbeatMovedAtMs: context.clock.monotonicMs(),
      requests: counters.allRequests(),
    }),
    handle(state, message) {
      switch (message.type) {
        case 'published':
        case 'settle':
        case 'pull-ended':
          return published(state, message);
        case 'process-said':
          heard(message.news);
          return state;
        case 'fetcher-started':
          return state;
        case 'watch-heartbeat':
          return watch(state);
        case 'set-failpoint':
        case 'clear-failpoints':
          process.command(message);
          return state;
        case 'thread-said':
        case 'told':
          return state; // of the kernel driver
      }
    },
    stop: () => (isEnding() ? process.stop(stopMs) : Promise.resolve()),
  };

  function heard(news: NativeNews): void {
    switch (news.type) {
      case 'refresh-asked':
        return options.onRefreshAsked();
      case 'session-ended':
        return onSessionEnded('ENODEV');
      case 'died':
        if (!isEnding()) died(new MusicfsError('unavailable', news.why));
    }
  }

  function died(error: MusicfsError): void {
    const { id: actor, incarnation } = context;
    reportDeath({ kind: 'process end', error, thread: 'fuse-native', actor, incarnation });
    context.fail(error);
  }

  function watch(state: State): State {
    context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
    process.command({ type: 'special-texts', texts: options.specialTexts() });
    const now = context.clock.monotonicMs();
    const heartbeat = counters.heartbeat();
    const requests = counters.allRequests();
    if (requests !== state.requests) context.workDone();
    if (heartbeat !== state.heartbeat) return { ...state, heartbeat, heartbeatMovedAtMs: now, requests };
    if (now - state.heartbeatMovedAtMs > limits.fuseThreadHungMs) {
      void process.kill();
      context.fail(new MusicfsError('internal', 'the fuse-native process gives no sign of life'));
    }
    return { ...state, requests };
  }
}
