// The actor that owns the fuse thread and tells the kernel what to forget.
//
// Owns: the fuse thread, the notifier. The session's descriptor is the process's, so a restart loses nothing: the next
// life of the thread takes the session over and asks again for what was left unanswered, and invalidations that were
// not told are rows of the catalog. Readers wait for a moment.
// Mailbox: 1,024 messages, past that the oldest go: what is lost are invalidations, and their rows remain.
import type { Worker } from 'node:worker_threads';
import type { Invalidation } from '../catalog/publication.ts';
import { Notifier } from '../fuse/notifier.ts';
import {
  type FuseCommand,
  FuseCounters,
  type FuseEvent,
  type FuseThreadData,
} from '../fuse/thread-protocol.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { signalEventfd } from '../platform/native.ts';
import type { ThreadSource } from '../platform/thread-source.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import { askWriter, catalogWriter } from './catalog-writer.ts';
import { ownThread } from './owned-thread.ts';
import type { StatusBoard } from './status-board.ts';

export type FuseHandlerMessage =
  | { readonly type: 'invalidate'; readonly invalidations: readonly Invalidation[] }
  | { readonly type: 'thread-said'; readonly event: FuseEvent }
  | { readonly type: 'told'; readonly upToId: number }
  | { readonly type: 'watch-heartbeat' }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

interface State {
  readonly heartbeat: number;
  readonly heartbeatMovedAtMs: number;
  readonly requests: number;
}

export interface FuseHandlerOptions {
  readonly threads: ThreadSource;
  readonly data: Omit<FuseThreadData, 'adopt' | 'counters'>;
  /** The process itself took the session over from another. */
  readonly adopt: boolean;
  readonly board: StatusBoard;
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
  const data: FuseThreadData = {
    ...options.data,
    adopt: options.adopt || context.incarnation > 1,
    counters: counters.memory,
  };
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
  const serving = await firstServing(thread, context.signal);
  options.onServing();
  board.serving = { isServing: true, isAdopted: options.adopt, hasResend: serving.hasResend };
  context.scope.listen(thread, 'message', (event: FuseEvent) => ({ type: 'thread-said', event }) as const);
  context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
  void replay();

  return {
    initialState: () => ({
      heartbeat: counters.heartbeat(),
      heartbeatMovedAtMs: context.clock.monotonicMs(),
      requests: requestsSoFar(counters),
    }),
    handle(state, message) {
      switch (message.type) {
        case 'invalidate':
          notifier.tell(message.invalidations);
          return state;
        case 'told':
          board.notifications = notifier.written;
          void askWriter(catalogWriter, { type: 'invalidated', upToId: message.upToId }).catch(
            (error: unknown) => context.log.debug({ event: 'invalidations_kept', error: String(error) }),
          );
          return state;
        case 'thread-said':
          if (message.event.type === 'session-ended') options.onSessionEnded(message.event.errno);
          return state;
        case 'watch-heartbeat':
          return watch(state);
        case 'set-failpoint':
        case 'clear-failpoints':
          command(message);
          return state;
      }
    },
    stop: () => stop({ type: 'stop' }, (event) => (event as FuseEvent).type === 'stopped', stopMs),
  };

  function watch(state: State): State {
    context.scope.timer(heartbeatCheckMs, { type: 'watch-heartbeat' });
    const now = context.clock.monotonicMs();
    const heartbeat = counters.heartbeat();
    const requests = requestsSoFar(counters);
    if (requests !== state.requests) context.workDone();
    if (heartbeat !== state.heartbeat) return { heartbeat, heartbeatMovedAtMs: now, requests };
    if (now - state.heartbeatMovedAtMs > limits.fuseThreadHungMs) {
      context.fail(new MusicfsError('internal', 'the fuse thread gives no sign of life'));
    }
    return { ...state, requests };
  }

  /** What an earlier life left untold. New publications queue behind it, as their ids are higher. */
  async function replay(): Promise<void> {
    try {
      for (let afterId = 0; ; ) {
        const rows = await askWriter(
          catalogWriter,
          { type: 'pending-invalidations', afterId },
          context.signal,
        );
        const last = rows.at(-1);
        if (last === undefined) return;
        context.self.tell({ type: 'invalidate', invalidations: rows });
        afterId = last.id;
      }
    } catch (error) {
      if (context.signal.aborted) return; // the next life replays
      context.log.warn({ event: 'replay_failed', error: String(error) });
    }
  }
}

function requestsSoFar(counters: FuseCounters): number {
  return Object.values(counters.requests()).reduce((sum, count) => sum + count, 0);
}

function firstServing(thread: Worker, signal: AbortSignal): Promise<Extract<FuseEvent, { type: 'serving' }>> {
  return new Promise((resolve, reject) => {
    thread.on('message', (event: FuseEvent) => {
      if (event.type === 'serving') resolve(event);
      if (event.type === 'session-ended') {
        reject(
          new MusicfsError('origin_unavailable', `the session ended before it was served (${event.errno})`),
        );
      }
    });
    thread.once('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
