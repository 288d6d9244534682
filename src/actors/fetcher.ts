// The actor that owns the fetch thread: the clients of origins, the chunk store, and who is asked for which bytes.
//
// Owns: the thread, and the calls to origins that wait for it. Loses on restart: fetches under way; reads that wait for
// them are asked again by whoever faces the kernel, calls of lanes fail with `unavailable`, and the scan tries again.
// Mailbox: 1,024 messages, past that `overloaded`.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type {
  CacheAnswer,
  CacheCall,
  CallProgress,
  FetchCommand,
  FetchEvent,
  FetchThreadData,
  OriginAnswer,
  OriginCall,
  OriginNews,
} from '../fetch/fetch-protocol.ts';
import type { RealPath } from '../library/real-path.ts';
import { type Credentials, sealCredentials } from '../origins/credentials.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import type { ThreadSource } from '../platform/thread-source.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { type AskOptions, actorRef, type Reply } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import { ownThread } from './owned-thread.ts';
import type { StatusBoard } from './status-board.ts';

export type FetcherMessage =
  | {
      readonly type: 'call';
      readonly call: OriginCall | CacheCall;
      /** Of whoever asks: its abort ends the work. */
      readonly signal?: AbortSignal;
      readonly onProgress?: (progress: CallProgress) => void;
      readonly reply: Reply<OriginAnswer | CacheAnswer>;
    }
  /** What is to be held, and nothing else: paths of the tree. */
  | { readonly type: 'pin'; readonly targets: readonly string[] }
  /** A thread that faces the kernel wants bytes through that port. */
  | { readonly type: 'connect'; readonly port: MessagePort; readonly wakeFd: number }
  | { readonly type: 'thread-said'; readonly event: FetchEvent }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

export interface FetcherOptions {
  readonly threads: ThreadSource;
  readonly data: Omit<FetchThreadData, 'armed' | 'credentials' | 'down'>;
  /** What each origin takes, read anew for each life: a password may have been changed. Rejects with what is wrong. */
  readonly credentials: (originId: string) => Promise<Credentials | null>;
  readonly board: StatusBoard;
  /** Armed failpoints of the thread, for its next life. */
  readonly failpoints: () => readonly string[];
  /** A life has begun: whoever faces the kernel connects. */
  readonly onStarted: () => void;
  readonly onNews: (news: OriginNews) => void;
  /** A file that the origin itself did not give: when it is back, it is looked at first. */
  readonly onServedElsewhere: (originId: string, path: RealPath) => void;
  /** The catalog is behind that origin. */
  readonly onChanged: (originId: string) => void;
}

export const fetcher = actorRef<FetcherMessage>('fetcher');

const stopMs = 3_000;

/** The two ends of a way to the fetch thread: one is for the fetcher, the other for whoever faces the kernel. */
export function connectFetcher(wakeFd: number): MessagePort {
  const { port1, port2 } = new MessageChannel();
  fetcher.tell({ type: 'connect', port: port1, wakeFd });
  return port2;
}

interface Waiting {
  readonly reply: Reply<OriginAnswer | CacheAnswer>;
  readonly onProgress: ((progress: CallProgress) => void) | undefined;
}

/** Asks the fetch thread. Aborting ends what it does. Rejects with `unavailable` when it is restarted meanwhile. */
export async function askFetcher<W extends (OriginCall | CacheCall)['what']>(
  call: Extract<OriginCall | CacheCall, { what: W }>,
  options: AskOptions & { readonly onProgress?: (progress: CallProgress) => void },
): Promise<Extract<OriginAnswer | CacheAnswer, { what: W }>> {
  const { signal, onProgress, timeoutMs } = options;
  const own = new AbortController();
  const both = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
  try {
    const answer = await fetcher.ask<OriginAnswer | CacheAnswer>(
      (reply) => ({
        type: 'call',
        call,
        signal: both,
        ...(onProgress === undefined ? {} : { onProgress }),
        reply,
      }),
      { timeoutMs, ...(signal === undefined ? {} : { signal }) },
    );
    if (answer.what !== call.what)
      throw new MusicfsError('internal', `asked for ${call.what}, told ${answer.what}`);
    return answer as Extract<OriginAnswer | CacheAnswer, { what: W }>;
  } finally {
    own.abort(); // also when its time is over
  }
}

type State = ReadonlyMap<number, Waiting>;

export function fetcherSpec(options: FetcherOptions): ActorSpec<FetcherMessage, State> {
  return actorSpec({
    ref: fetcher,
    start: (context) => startLife(context, options),
    shutdownMs: stopMs + 1_000,
    budget: readPathBudget,
    critical: true,
  });
}

async function startLife(
  context: ActorContext<FetcherMessage>,
  options: FetcherOptions,
): Promise<ActorLife<State, FetcherMessage>> {
  const { board } = options;
  const { thread, command, stop } = ownThread<FetcherMessage, FetchCommand>(context, options.threads);
  const credentials = new Map<string, MessagePort>();
  for (const { id } of options.data.origins) {
    try {
      const read = await options.credentials(id);
      if (read !== null) credentials.set(id, sealCredentials(read));
    } catch (error) {
      // Without them it will refuse us, which is what status then shows.
      context.log.error({ event: 'credentials_unreadable', origin: id, error: messageOf(error) });
    }
  }
  const down = [...board.origins.values()].filter(({ state }) => state === 'unhealthy').map(({ id }) => id);
  const data: FetchThreadData = { ...options.data, armed: options.failpoints(), credentials, down };
  const ready = new Promise<void>((resolve, reject) => {
    thread.on('message', (event: FetchEvent) => event.type === 'ready' && resolve());
    thread.once('error', reject);
    context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), { once: true });
  });
  thread.postMessage({ type: 'begin', data } satisfies FetchCommand, [...credentials.values()]);
  await ready;
  context.scope.listen(thread, 'message', (event: FetchEvent) => ({ type: 'thread-said', event }) as const);
  let lastId = 0;
  let waiting = new Map<number, Waiting>();
  context.scope.defer(() => {
    for (const { reply } of waiting.values()) reply.reject('unavailable', 'the fetcher was restarted');
    waiting = new Map();
  });
  options.onStarted();

  return {
    initialState: () => waiting,
    handle(state, message) {
      switch (message.type) {
        case 'call':
          begin(message);
          return state;
        case 'pin':
          command(message);
          return state;
        case 'connect':
          thread.postMessage(message satisfies FetchCommand, [message.port]);
          return state;
        case 'thread-said':
          context.workDone();
          said(message.event);
          return state;
        case 'set-failpoint':
        case 'clear-failpoints':
          command(message);
          return state;
      }
    },
    stop: () => stop({ type: 'stop' }, (event) => (event as FetchEvent).type === 'stopped', stopMs),
  };

  function begin({ call, signal, onProgress, reply }: Extract<FetcherMessage, { type: 'call' }>): void {
    lastId += 1;
    const id = lastId;
    waiting.set(id, { reply, onProgress });
    command({ type: 'call', id, call });
    signal?.addEventListener(
      'abort',
      () => {
        if (waiting.has(id)) command({ type: 'cancel', id });
      },
      { once: true },
    );
  }

  function said(event: FetchEvent): void {
    switch (event.type) {
      case 'called':
        return settle(event.id, (reply) => reply.resolve(event.answer));
      case 'call-failed':
        return settle(event.id, (reply) => reply.reject(event.code, event.message));
      case 'call-progress':
        waiting.get(event.id)?.onProgress?.(event.progress);
        return;
      case 'cache':
        context.log.info({ event: event.event.type, ...event.event, type: undefined });
        return;
      case 'pin-problem':
        context.log.warn({ event: 'pin_problem', path: event.target, error: event.problem });
        return;
      case 'origin-health':
        return options.onNews(event.news);
      case 'served-elsewhere':
        return options.onServedElsewhere(event.originId, event.path);
      case 'file-changed':
        context.log.info({ event: 'file_changed', origin: event.originId });
        return options.onChanged(event.originId);
      case 'replica-diverged':
        context.log.warn({ event: 'replica_diverged', origin: event.originId, ...event.content });
        return options.onChanged(event.originId);
      case 'stats':
        board.fetch = event.stats;
        return;
      case 'failpoint-hits':
      case 'ready':
      case 'stopped':
        return;
    }
  }

  function settle(id: number, how: (reply: Waiting['reply']) => void): void {
    const reply = waiting.get(id)?.reply;
    waiting.delete(id);
    if (reply !== undefined) how(reply);
  }
}
