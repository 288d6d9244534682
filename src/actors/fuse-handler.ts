// The actor that owns the fuse thread and tells the kernel what to forget.
//
// Owns: the fuse thread, the notifier. The session's descriptor is the process's, so a restart loses nothing: the next
// life of the thread takes the session over and asks again for what was left unanswered, and invalidations that were
// not told are rows of the catalog. Readers wait for a moment.
// Mailbox: 1,024 messages, past that the oldest go: what is lost are hints that the catalog has news, and askers are
// told.
import type { Worker } from 'node:worker_threads';
import { Notifier } from '../fuse/notifier.ts';
import type { Negotiated } from '../fuse/protocol/init.ts';
import { SharedTexts } from '../fuse/shared-texts.ts';
import {
  type FuseCommand,
  FuseCounters,
  type FuseEvent,
  type FuseThreadData,
} from '../fuse/thread-protocol.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { closeLeftovers, signalEventfd } from '../platform/native.ts';
import type { ThreadSource } from '../platform/thread-source.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef, type Reply } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import { askWriter, catalogWriter } from './catalog-writer.ts';
import { ownThread } from './owned-thread.ts';
import type { StatusBoard } from './status-board.ts';

export type FuseHandlerMessage =
  /** The catalog has something for the kernel to forget. */
  | { readonly type: 'published' }
  /** Answered when the kernel has been told everything that was published before the question. */
  | { readonly type: 'settle'; readonly reply: Reply<null> }
  | { readonly type: 'pull-ended'; readonly lastId: number; readonly error: unknown }
  | { readonly type: 'thread-said'; readonly event: FuseEvent }
  | { readonly type: 'told'; readonly upToId: number }
  | { readonly type: 'watch-heartbeat' }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

interface State {
  /** The newest invalidation that was told. */
  readonly lastId: number;
  readonly pull: 'idle' | 'running' | 'again';
  readonly settling: readonly Reply<null>[];
  readonly heartbeat: number;
  readonly heartbeatMovedAtMs: number;
  readonly requests: number;
}

export interface FuseHandlerOptions {
  readonly threads: ThreadSource;
  readonly data: Omit<FuseThreadData, 'adopted' | 'counters' | 'texts'>;
  /** What the kernel and the first life agreed on; kept here for those that follow. */
  readonly session: { negotiated: Negotiated | null };
  /** Roots of the origins: a thread that died leaves files below them open. */
  readonly originRoots: readonly string[];
  /** The mount ends: what waits is answered, and nobody takes the session over. */
  readonly isEnding: () => boolean;
  readonly board: StatusBoard;
  /** What the special files show now, by name. */
  readonly specialTexts: () => Readonly<Record<string, string>>;
  /** A scan of all origins is asked for. */
  readonly onRefreshAsked: () => void;
  /** Armed failpoints of the fuse thread, for its next life. */
  readonly failpoints: () => readonly string[];
  /** The kernel is being answered; called for each life of the thread. */
  readonly onServing: () => void;
  /** The kernel ended the session: 'ENODEV' when it was unmounted. */
  readonly onSessionEnded: (errno: string) => void;
}

export const fuseHandler = actorRef<FuseHandlerMessage>('fuse-handler');

const heartbeatCheckMs = 1000;
const stopMs = 1_000;
/** After the catalog did not answer. */
const pullAgainMs = 1_000;

export function fuseHandlerSpec(options: FuseHandlerOptions): ActorSpec<FuseHandlerMessage, State> {
  return actorSpec({
    ref: fuseHandler,
    start: (context) => startLife(context, options),
    // What is stuck is terminated after its grace: its poll ends within a second.
    shutdownMs: stopMs + 1_500,
    budget: readPathBudget,
    mailbox: { overflow: 'drop-oldest' },
    critical: true,
  });
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
    adopted: options.session.negotiated,
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
  const notifier = new Notifier({
    deviceFd: data.deviceFd,
    clock: context.clock,
    onTold: (upToId) => context.self.tell({ type: 'told', upToId }),
  });
  context.scope.defer(() => {
    board.serving = { ...board.serving, isServing: false };
    notifier.close();
  });
  command({ type: 'begin', data });
  for (const setting of options.failpoints()) command({ type: 'set-failpoint', setting });
  const serving = await firstServing(thread, options.onSessionEnded, context.signal);
  options.onServing();
  options.session.negotiated = serving.negotiated;
  board.serving = {
    isServing: true,
    isAdopted: false,
    kernelFeatures: [
      ...(serving.negotiated.hasResend ? ['resend'] : []),
      ...(serving.negotiated.hasPassthrough ? ['passthrough'] : []),
    ],
  };
  texts.write(options.specialTexts());
  context.scope.listen(thread, 'message', (event: FuseEvent) => ({ type: 'thread-said', event }) as const);
  context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
  context.self.tell({ type: 'published' }); // what an earlier life left untold

  return {
    initialState: () => ({
      lastId: 0,
      pull: 'idle',
      settling: [],
      heartbeat: counters.heartbeat(),
      heartbeatMovedAtMs: context.clock.monotonicMs(),
      requests: requestsSoFar(counters),
    }),
    handle(state, message) {
      switch (message.type) {
        case 'published':
          return pull(state);
        case 'settle':
          return pull({ ...state, settling: [...state.settling, message.reply] });
        case 'pull-ended':
          return pullEnded(state, message.lastId, message.error);
        case 'told':
          board.notifications = notifier.written;
          void askWriter(catalogWriter, { type: 'invalidated', upToId: message.upToId }).catch(
            (error: unknown) => context.log.debug({ event: 'invalidations_kept', error: String(error) }),
          );
          return state;
        case 'thread-said':
          if (message.event.type === 'refresh-asked') options.onRefreshAsked();
          if (message.event.type === 'session-ended') options.onSessionEnded(message.event.errno);
          if (message.event.type === 'record-failed') {
            context.log.warn({ event: 'session_record_failed', error: message.event.message });
          }
          return state;
        case 'watch-heartbeat':
          return watch(state);
        case 'set-failpoint':
        case 'clear-failpoints':
          command(message);
          return state;
      }
    },
    stop: () =>
      stop(
        { type: 'stop', isLast: options.isEnding() },
        (event) => (event as FuseEvent).type === 'stopped',
        stopMs,
      ),
  };

  function watch(state: State): State {
    context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
    texts.write(options.specialTexts());
    const now = context.clock.monotonicMs();
    const heartbeat = counters.heartbeat();
    const requests = requestsSoFar(counters);
    if (requests !== state.requests) context.workDone();
    if (heartbeat !== state.heartbeat) return { ...state, heartbeat, heartbeatMovedAtMs: now, requests };
    if (now - state.heartbeatMovedAtMs > limits.fuseThreadHungMs) {
      context.fail(new MusicfsError('internal', 'the fuse thread gives no sign of life'));
    }
    return { ...state, requests };
  }

  /** Rows are read from the catalog, in order and from where we are, so that no lost message loses one. */
  function pull(state: State): State {
    if (state.pull !== 'idle') return { ...state, pull: 'again' };
    let { lastId } = state;
    const work = async () => {
      for (;;) {
        const request = { type: 'pending-invalidations', afterId: lastId } as const;
        const rows = await askWriter(catalogWriter, request, context.signal);
        const last = rows.at(-1);
        if (last === undefined) return;
        await notifier.tell(rows);
        lastId = last.id;
      }
    };
    work().then(
      () => context.self.tell({ type: 'pull-ended', lastId, error: null }),
      (error: unknown) => context.self.tell({ type: 'pull-ended', lastId, error }),
    );
    return { ...state, pull: 'running' };
  }

  function pullEnded(state: State, lastId: number, error: unknown): State {
    const ended: State = { ...state, lastId, pull: 'idle' };
    if (error !== null) {
      context.log.warn({ event: 'invalidations_delayed', error: messageOf(error) });
      context.scope.timer(pullAgainMs, { type: 'published' });
      return ended;
    }
    if (state.pull === 'again') return pull(ended);
    for (const reply of state.settling) reply.resolve(null);
    return { ...ended, settling: [] };
  }
}

function requestsSoFar(counters: FuseCounters): number {
  return Object.values(counters.requests()).reduce((sum, count) => sum + count, 0);
}

function firstServing(
  thread: Worker,
  onSessionEnded: (errno: string) => void,
  signal: AbortSignal,
): Promise<Extract<FuseEvent, { type: 'serving' }>> {
  return new Promise((resolve, reject) => {
    thread.on('message', (event: FuseEvent) => {
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
