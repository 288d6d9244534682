// The actor that owns the catalog's writer thread: everything that changes the library goes through it.
//
// Owns: the thread with the one writing connection. Loses on restart: requests under way (their askers are told
// `unavailable`) and which files the running scan has met; a scan then starts again, published work stays.
// A catalog that turns out to be damaged cannot be replaced while the fuse thread has it open: the order to do so is
// left for the next process, and this one ends.
// Mailbox: 1,024 requests, past that `overloaded`; the scan waits for each answer, so it never comes near.
import type { Worker } from 'node:worker_threads';
import { orderRecovery } from '../catalog/recovery-order.ts';
import type {
  WriterAnswers,
  WriterCommand,
  WriterEvent,
  WriterRequest,
  WriterThreadData,
} from '../catalog/writer-protocol.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { ThreadSource } from '../platform/thread-source.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { type ActorRef, actorRef, type Reply } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import { lookAfterCatalog } from './catalog-check.ts';
import { ownThread } from './owned-thread.ts';
import type { StatusBoard } from './status-board.ts';

type AnyAnswer = WriterAnswers[keyof WriterAnswers];

export type CatalogWriterMessage =
  | { readonly type: 'request'; readonly request: WriterRequest; readonly reply: Reply<AnyAnswer> }
  | { readonly type: 'thread-said'; readonly event: WriterEvent }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

interface State {
  /** Tracks that were given other places since the last word of it in the log. */
  readonly laidOut: number;
  readonly waiting: ReadonlyMap<number, { request: WriterRequest; reply: Reply<AnyAnswer> }>;
  readonly nextId: number;
}

export interface CatalogWriterOptions {
  readonly threads: ThreadSource;
  readonly data: Omit<WriterThreadData, 'armed' | 'mayRecover'>;
  /** Armed failpoints of the thread, for its next life. */
  readonly failpoints: () => readonly string[];
  readonly board: StatusBoard;
  /** The catalog is damaged and the order to recover it is given: the process must end. */
  readonly onDamaged: () => void;
  /** A publication left something for the kernel to forget. */
  readonly onPublished: () => void;
  /** Every track has the place that changed settings give it. */
  readonly onLaidOut: () => void;
}

export const catalogWriter = actorRef<CatalogWriterMessage>('catalog-writer');

/** A request to the writer with the answer that belongs to it. Rejects as ActorRef.ask does. */
export async function askWriter<T extends WriterRequest['type']>(
  writer: ActorRef<CatalogWriterMessage>,
  request: Extract<WriterRequest, { type: T }>,
  signal?: AbortSignal,
): Promise<WriterAnswers[T]> {
  const answer = await writer.ask<AnyAnswer>((reply) => ({ type: 'request', request, reply }), {
    timeoutMs: writerDeadlineMs,
    ...(signal === undefined ? {} : { signal }),
  });
  return answer as WriterAnswers[T]; // the thread answers each request by its type
}

/** A transaction of hundreds of tracks on a slow disk, behind a few others. */
const writerDeadlineMs = 60_000;

/** Requests whose answers say whether the kernel must be told something. */
const changesTree: ReadonlySet<WriterRequest['type']> = new Set([
  'publish',
  'remove',
  'show-art',
  'show-no-art',
  'show-playlists',
]);

const closeMs = 4_000;

export function catalogWriterSpec(options: CatalogWriterOptions): ActorSpec<CatalogWriterMessage, State> {
  return actorSpec({
    ref: catalogWriter,
    start: (context) => startLife(context, options),
    // A migration may copy a large file first.
    startMs: 60_000,
    // The checkpoint at the end moves what is left in the log to the file.
    shutdownMs: closeMs + 1_000,
    critical: true,
  });
}

async function startLife(
  context: ActorContext<CatalogWriterMessage>,
  { threads, data, board, failpoints, onPublished, onLaidOut, onDamaged }: CatalogWriterOptions,
): Promise<ActorLife<State, CatalogWriterMessage>> {
  const { thread, command, stop } = ownThread<CatalogWriterMessage, WriterCommand>(context, threads);
  // Later lives of the actor find the fuse thread with the file open.
  const mayRecover = context.incarnation === 1;
  command({ type: 'begin', data: { ...data, armed: failpoints(), mayRecover } });
  const opened = await firstEvent(thread, context.signal);
  if (opened.type === 'refused') throw new MusicfsError(opened.code, opened.message);
  const damaged = (reason: string) => {
    context.log.error({ event: 'catalog_damaged', reason });
    orderRecovery(data.path, reason);
    onDamaged();
  };
  if (opened.type === 'opened') {
    if (opened.recovery !== null) {
      board.recovery = opened.recovery;
      context.log.error({ event: 'catalog_recovered', ...opened.recovery });
    }
    lookAfterCatalog(context, {
      path: data.path,
      isClean: opened.isClean || context.incarnation > 1,
      readErrors: () => board.fuse?.get('catalogErrors') ?? 0,
      onDamaged: damaged,
    });
    board.counters = opened.overview.counters;
    board.originRows = opened.overview.origins;
    onPublished(); // the life before may have died between a commit and its word
  }
  context.scope.listen(thread, 'message', (event: WriterEvent) => ({ type: 'thread-said', event }) as const);

  return {
    initialState: () => ({ laidOut: 0, waiting: new Map(), nextId: 1 }),
    handle(state, message) {
      switch (message.type) {
        case 'request': {
          const { request, reply } = message;
          command({ type: 'request', id: state.nextId, request });
          return {
            ...state,
            nextId: state.nextId + 1,
            waiting: new Map([...state.waiting, [state.nextId, { request, reply }]]),
          };
        }
        case 'thread-said':
          return heard(state, message.event);
        case 'set-failpoint':
        case 'clear-failpoints':
          command(message);
          return state;
      }
    },
    stop: () => stop({ type: 'close' }, (event) => (event as WriterEvent).type === 'closed', closeMs),
  };

  function laidOut(
    state: State,
    { tracks, hasInvalidations, isDone, overview }: Extract<WriterEvent, { type: 'laid-out' }>,
  ): State {
    board.counters = overview.counters;
    if (hasInvalidations) onPublished();
    if (!isDone) return { ...state, laidOut: state.laidOut + tracks };
    context.log.info({ event: 'library_laid_out', tracks: state.laidOut + tracks });
    onLaidOut();
    context.workDone();
    return { ...state, laidOut: 0 };
  }

  function heard(state: State, event: WriterEvent): State {
    if (event.type === 'clock-jumped')
      context.log.warn({ event: 'clock_jumped', byMs: Math.round(event.byMs) });
    if (event.type === 'laid-out') return laidOut(state, event);
    if (event.type === 'layout-failed')
      context.log.error({ event: 'layout_failed', code: event.code, reason: event.message });
    if (event.type === 'layout-failed' && event.code === 'catalog_corrupt') damaged(event.message);
    if (event.type !== 'answer' && event.type !== 'failure') return state;
    const asked = state.waiting.get(event.id);
    if (asked === undefined) return state;
    const waiting = new Map(state.waiting);
    waiting.delete(event.id);
    if (event.type === 'failure') {
      if (event.code === 'catalog_corrupt') damaged(event.message);
      asked.reply.reject(event.code, event.message);
      return { ...state, waiting };
    }
    board.counters = event.overview.counters;
    board.originRows = event.overview.origins;
    asked.reply.resolve(event.value);
    if (changesTree.has(asked.request.type)) {
      if ((event.value as WriterAnswers['publish']).hasInvalidations) onPublished();
    }
    context.workDone();
    return { ...state, waiting };
  }
}

function firstEvent(thread: Worker, signal: AbortSignal): Promise<WriterEvent> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
