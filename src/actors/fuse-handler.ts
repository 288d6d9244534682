// The actor that owns the fuse thread and tells the kernel what to forget.
//
// Owns: the fuse thread, the notifier. The session's descriptor is the process's, so a restart loses nothing: the next
// life of the thread takes the session over and asks again for what was left unanswered, and invalidations that were
// not told are rows of the catalog. Readers wait for a moment.
// Mailbox: 1,024 messages, past that the oldest go: what is lost are hints that the catalog has news, and askers are
// told.
import type { MessagePort, Worker } from 'node:worker_threads';
import type { NativeNews } from '../fuse/drivers/fuse-native/native-process.ts';
import { Notifier } from '../fuse/notifier.ts';
import { SharedTexts } from '../fuse/shared-texts.ts';
import {
  type FuseCommand,
  FuseCounters,
  type FuseEvent,
  type FuseThreadData,
} from '../fuse/thread-protocol.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { closeLeftovers, signalEventfd } from '../platform/native.ts';
import type { ThreadSource } from '../platform/thread-source.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import { ownThread } from './owned-thread.ts';
import type { StatusBoard } from './status-board.ts';
import {
  forgetTold,
  nothingPulled,
  type PullMessage,
  type PullState,
  publishedTeller,
} from './tell-published.ts';

export type FuseHandlerMessage =
  | PullMessage
  | { readonly type: 'thread-said'; readonly event: FuseEvent }
  | { readonly type: 'told'; readonly upToId: number }
  /** Of driver fuse-native. */
  | { readonly type: 'process-said'; readonly news: NativeNews }
  | { readonly type: 'watch-heartbeat' }
  /** A life of the fetcher has begun. */
  | { readonly type: 'fetcher-started' }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

interface State extends PullState {
  readonly heartbeat: number;
  readonly heartbeatMovedAtMs: number;
  readonly requests: number;
}

export interface FuseHandlerOptions {
  readonly threads: ThreadSource;
  readonly data: Omit<FuseThreadData, 'armed' | 'counters' | 'texts'>;
  /** The session was taken over from an earlier life of the process. */
  readonly isAdopted: boolean;
  /** Roots of the origins: a thread that died leaves files below them open. */
  readonly originRoots: readonly string[];
  /** The mount ends: what waits is answered, and nobody takes the session over. */
  readonly isEnding: () => boolean;
  readonly board: StatusBoard;
  /** A way to the fetch thread; null: there is none, as no origin needs it. */
  readonly connectFetcher: ((wakeFd: number) => MessagePort) | null;
  /** What the special files show now, by name. */
  readonly specialTexts: () => Readonly<Record<string, string>>;
  /** A scan of all origins is asked for. */
  readonly onRefreshAsked: () => void;
  /** Armed failpoints of the fuse thread, for its next life. */
  readonly failpoints: () => readonly string[];
  /** Called before each notification; a throw is the actor's failure. */
  readonly beforeNotification: () => void;
  /** The kernel is being answered; called for each life of the thread. */
  readonly onServing: (hasResend: boolean) => void;
  /** A request has been answered; called for each life. */
  readonly onAnswering: () => void;
  /** The kernel ended the session: 'ENODEV' when it was unmounted. */
  readonly onSessionEnded: (errno: string) => void;
}

export const fuseHandler = actorRef<FuseHandlerMessage>('fuse-handler');

const heartbeatCheckMs = 1000;
const stopMs = 1_000;

export function fuseHandlerSpec(options: FuseHandlerOptions): ActorSpec<FuseHandlerMessage, State> {
  return actorSpec({
    ref: fuseHandler,
    start: (context) => startLife(context, options),
    // What is stuck is terminated after its grace: its poll ends within a second.
    shutdownMs: () => graceMs(options) + 1_500,
    budget: readPathBudget,
    mailbox: { overflow: 'drop-oldest' },
    critical: true,
  });
}

/** What a life of the thread is given to end: where reads are answered before it does, as long as that may take. */
function graceMs({ isEnding, board }: FuseHandlerOptions): number {
  const canResend = board.serving.kernelFeatures.includes('resend');
  const waitMs = isEnding() ? limits.drainMs : canResend ? 0 : limits.readDeadlineMs;
  return waitMs + stopMs;
}

async function startLife(
  context: ActorContext<FuseHandlerMessage>,
  options: FuseHandlerOptions,
): Promise<ActorLife<State, FuseHandlerMessage>> {
  const { board } = options;
  const counters = new FuseCounters(board.fuse?.memory);
  board.fuse = counters;
  const texts = new SharedTexts();
  const data: FuseThreadData = {
    ...options.data,
    armed: options.failpoints(),
    counters: counters.memory,
    texts: texts.memory,
  };
  if (context.incarnation > 1) closeLeftovers(options.originRoots);
  const wake = () => signalEventfd(data.wakeFd);
  const { thread, command, stop } = ownThread<FuseHandlerMessage, FuseCommand>(
    context,
    options.threads,
    wake,
  );
  let hasRefused = false;
  const notifier = new Notifier({
    deviceFd: data.deviceFd,
    clock: context.clock,
    mayWrite: () => {
      try {
        options.beforeNotification();
        return true;
      } catch (error) {
        context.fail(error);
        return false;
      }
    },
    onTold: (upToId) => context.self.tell({ type: 'told', upToId }),
    onRefused: (errno) => {
      if (!hasRefused) context.log.error({ event: 'notification_refused', errno });
      hasRefused = true; // one line a life: what was refused once is refused each time
    },
  });
  const published = publishedTeller(context, {
    tell: (rows) => notifier.tell(rows),
    toldAll: () => Promise.resolve(), // told once is enough; the rows go after the second telling
  });
  context.scope.defer(() => {
    board.serving = { ...board.serving, isServing: false };
    notifier.close();
  });
  command({ type: 'begin', data });
  const serving = await firstServing(thread, options, context.signal);
  const { hasResend } = serving.negotiated;
  options.onServing(hasResend);
  board.serving = {
    isServing: true,
    isAdopted: options.isAdopted,
    kernelFeatures: [
      ...(hasResend ? ['resend'] : []),
      ...(serving.negotiated.hasPassthrough ? ['passthrough'] : []),
    ],
  };
  connect();
  texts.write(options.specialTexts());
  context.scope.listen(thread, 'message', (event: FuseEvent) => ({ type: 'thread-said', event }) as const);
  context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
  context.self.tell({ type: 'published' }); // what an earlier life left untold

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
        case 'told':
          board.notifications = notifier.written;
          forgetTold(context, message.upToId);
          return state;
        case 'thread-said':
          if (message.event.type === 'refresh-asked') options.onRefreshAsked();
          if (message.event.type === 'session-ended') options.onSessionEnded(message.event.errno);
          return state;
        case 'watch-heartbeat':
          return watch(state);
        case 'set-failpoint':
        case 'clear-failpoints':
          command(message);
          return state;
        case 'fetcher-started':
          connect();
          return state;
        case 'process-said':
          return state;
      }
    },
    stop: () =>
      stop(
        { type: 'stop', how: options.isEnding() ? 'end' : 'hand-over' },
        (event) => (event as FuseEvent).type === 'stopped',
        graceMs(options),
      ),
  };

  function connect(): void {
    const port = options.connectFetcher?.(data.wakeFd);
    if (port === undefined) return;
    thread.postMessage({ type: 'connect', port } satisfies FuseCommand, [port]);
    wake();
  }

  function watch(state: State): State {
    context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
    texts.write(options.specialTexts());
    const now = context.clock.monotonicMs();
    const heartbeat = counters.heartbeat();
    const requests = counters.allRequests();
    if (requests !== state.requests) context.workDone();
    if (heartbeat !== state.heartbeat) return { ...state, heartbeat, heartbeatMovedAtMs: now, requests };
    if (now - state.heartbeatMovedAtMs > limits.fuseThreadHungMs) {
      context.fail(new MusicfsError('internal', 'the fuse thread gives no sign of life'));
    }
    return { ...state, requests };
  }
}

function firstServing(
  thread: Worker,
  { onSessionEnded, onAnswering }: Pick<FuseHandlerOptions, 'onSessionEnded' | 'onAnswering'>,
  signal: AbortSignal,
): Promise<Extract<FuseEvent, { type: 'serving' }>> {
  return new Promise((resolve, reject) => {
    thread.on('message', (event: FuseEvent) => {
      if (event.type === 'answering') onAnswering();
      if (event.type === 'serving') resolve(event);
      if (event.type === 'session-ended') {
        onSessionEnded(event.errno);
        reject(
          new MusicfsError('origin_unavailable', `the session ended before it was served (${event.errno})`),
        );
      }
    });
    thread.once('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
