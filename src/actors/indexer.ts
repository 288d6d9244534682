// The actor that keeps the catalog in step with the origins: it runs scans, one origin after the other.
//
// Owns: the running scan and the pool of parser processes. Loses on restart: the scan under way; the next life scans
// every origin again, and what was published is not parsed again. Parked when it gives up: the last published tree
// goes on being served.
// Mailbox: 1,024 commands, past that `overloaded`.
import type { WalkSettings } from '../library/scan-settings.ts';
import type { Clock } from '../platform/clock.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { giveMemoryBack } from '../platform/own-resources.ts';
import { repeatAt } from '../platform/schedule.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { type ActorRef, actorRef, type Reply } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import { ParserPool, type ParserPoolOptions } from '../tags/parser-pool.ts';
import { catalogWriter } from './catalog-writer.ts';
import type { OriginLaneMessage } from './origin-lane.ts';
import { scanOrigin } from './scan.ts';
import { idleScan } from './scan-progress.ts';
import type { StatusBoard } from './status-board.ts';

export type IndexerMessage =
  /** Scan these origins (null: all), after what already waits. Refused with `already_exists` when one of them waits or runs. */
  | {
      readonly type: 'scan';
      readonly originId: string | null;
      /** See ScanOptions; left out: false. */
      readonly isFull?: boolean;
      readonly reply: Reply<null> | null;
    }
  /** Stop the scan of one origin (null: whatever runs). Answers whether there was one. */
  | { readonly type: 'cancel'; readonly originId: string | null; readonly reply: Reply<boolean> }
  | { readonly type: 'scan-ended'; readonly originId: string; readonly error: unknown };

export interface IndexedOrigin {
  readonly id: string;
  /** Where its files are read; null: they are fetched. */
  readonly root: string | null;
  readonly lane: ActorRef<OriginLaneMessage>;
  /** See WalkOptions. */
  readonly followsLinks: boolean;
}

export interface IndexerOptions {
  readonly origins: readonly IndexedOrigin[];
  readonly walk: WalkSettings;
  /** A directory of ours for the beginnings of files that are fetched. */
  readonly headsDirectory: string;
  readonly board: StatusBoard;
  readonly parsers: Omit<ParserPoolOptions, 'log' | 'clock'>;
  readonly failpoints: Failpoints;
  /** A scan ended. */
  readonly onScanned: (hasChanged: boolean) => void;
  /** Resolves when readers see everything that was published so far. */
  readonly settle: (signal: AbortSignal) => Promise<void>;
}

/** A scan that was asked for. */
interface Asked {
  readonly originId: string;
  readonly isFull: boolean;
}

interface State {
  readonly queue: readonly Asked[];
  readonly running: (Asked & { readonly abort: AbortController }) | null;
  /** Scans in a row that were interrupted by the restart of a part. */
  readonly retries: number;
}

const retryMs = 5_000;
/** A known library is served as it was; that it is compared with the disks can wait until the start is over. */
const reconcileAfterMs = 5_000;
/** Longer than the longest delay of a restart. */
const mostRetries = 24;

export const indexer = actorRef<IndexerMessage>('indexer');

export function indexerSpec(options: IndexerOptions): ActorSpec<IndexerMessage, State> {
  return actorSpec({
    ref: indexer,
    start: (context) => startLife(context, options),
    onGiveUp: 'park',
    shutdownMs: 2_000,
  });
}

function startLife(
  context: ActorContext<IndexerMessage>,
  options: IndexerOptions,
): ActorLife<State, IndexerMessage> {
  const { board } = options;
  const parsers = new ParserPool({
    ...options.parsers,
    log: context.log,
    clock: context.clock,
    onParsed: () => {
      board.parsed += 1;
    },
  });
  context.scope.defer(async () => {
    await parsers.close();
    board.scan = { ...board.scan, isRunning: false, currentPath: null };
  });
  const isKnown = board.originRows.length > 0 && board.originRows.every((row) => row.firstScanComplete);
  const scanAll = { type: 'scan', originId: null, reply: null } as const;
  context.scope.timer(isKnown ? reconcileAfterMs : 0, scanAll);
  const { background } = options.walk;
  if (background !== '')
    context.scope.defer(repeatAt(background, context.clock, () => context.self.tell(scanAll)));

  return {
    initialState: () => ({ queue: [], running: null, retries: 0 }),
    handle(state, message) {
      switch (message.type) {
        case 'scan':
          return next(asked(state, message));
        case 'cancel':
          return cancelled(state, message.originId, message.reply);
        case 'scan-ended':
          return next(ended(state, message.originId, message.error));
      }
    },
  };

  function asked(
    state: State,
    { originId, isFull = false, reply }: Extract<IndexerMessage, { type: 'scan' }>,
  ): State {
    const known = options.origins.map(({ id }) => id);
    const wanted = originId === null ? known : known.filter((id) => id === originId);
    if (wanted.length === 0) {
      reply?.reject('not_found', `no origin ${originId ?? ''}; there are: ${known.join(', ')}`);
      return state;
    }
    const isBusy = (id: string) => [...state.queue, state.running].some((scan) => scan?.originId === id);
    const free = wanted.filter((id) => !isBusy(id));
    if (free.length === 0) {
      reply?.reject('already_exists', 'a scan is already running: musicfs status shows it');
      return state;
    }
    reply?.resolve(null);
    return { ...state, queue: [...state.queue, ...free.map((id) => ({ originId: id, isFull }))] };
  }

  function next(state: State): State {
    const [first, ...queue] = state.queue;
    const origin = options.origins.find(({ id }) => id === first?.originId);
    if (state.running !== null || first === undefined || origin === undefined) return state;
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, context.signal]);
    begin(origin.id, context.clock);
    void scanOrigin(
      {
        originId: origin.id,
        isFull: first.isFull,
        rootPath: origin.root,
        headsDirectory: options.headsDirectory,
        walk: options.walk,
        followsLinks: origin.followsLinks,
        wantsFileFp: options.origins.length > 1,
        lane: origin.lane,
        writer: catalogWriter,
        parsers,
        knownFiles: board.originRows.find(({ name }) => name === origin.id)?.files ?? 0,
        first: [...(board.servedElsewhere.get(origin.id) ?? [])],
        clock: context.clock,
        log: context.log,
        failpoints: options.failpoints,
        settle: options.settle,
        onProgress: (change) => {
          if (!context.signal.aborted) board.scan = { ...board.scan, ...change };
        },
      },
      signal,
    ).then(
      () => context.self.tell({ type: 'scan-ended', originId: origin.id, error: null }),
      (error: unknown) => context.self.tell({ type: 'scan-ended', originId: origin.id, error }),
    );
    return { ...state, queue, running: { ...first, abort } };
  }

  function begin(originId: string, clock: Clock): void {
    const now = clock.monotonicMs();
    board.scan = {
      ...idleScan,
      isRunning: true,
      originId,
      phase: 'listing',
      startedAtMs: now,
      updatedAtMs: now,
      ended: board.scan.ended,
      isFirst: board.originRows.find(({ name }) => name === originId)?.firstScanComplete !== true,
    };
    context.log.info({ event: 'scan_started', origin: originId });
  }

  function ended(state: State, originId: string, error: unknown): State {
    const stats = parsers.stats();
    const { scan } = board;
    board.scan = { ...scan, isRunning: false, phase: 'done', currentPath: null, ended: scan.ended + 1 };
    board.scanFailures.set(
      originId,
      error === null ? null : new MusicfsError(codeOf(error), messageOf(error)),
    );
    if (error === null) {
      board.servedElsewhere.delete(originId);
      const { done, added, changed, removed, held, errors, linksRefused } = scan;
      options.onScanned(added + changed + removed > 0);
      context.log.info({
        event: 'scan_ended',
        origin: originId,
        done,
        added,
        changed,
        removed,
        held,
        errors,
        linksRefused,
        ...stats,
      });
    } else if (codeOf(error) === 'cancelled') {
      context.log.info({ event: 'scan_cancelled', origin: originId });
    } else if (codeOf(error) === 'internal') {
      throw error instanceof Error ? error : new MusicfsError('internal', messageOf(error));
    } else if (codeOf(error) === 'unavailable' && state.retries < mostRetries) {
      // A part the scan needs was restarted: once more, what was published is not parsed again.
      context.log.warn({ event: 'scan_interrupted', origin: originId, error: messageOf(error) });
      board.scan = { ...scan, phase: 'listing', ended: scan.ended };
      const isFull = state.running?.isFull === true;
      context.scope.timer(retryMs, { type: 'scan', originId, isFull, reply: null });
      return { ...state, running: null, retries: state.retries + 1 };
    } else {
      board.scan = { ...board.scan, errors: scan.errors + 1 };
      context.log.warn({
        event: 'scan_failed',
        origin: originId,
        code: codeOf(error),
        error: messageOf(error),
      });
    }
    context.workDone();
    context.scope.timer(limits.quietMs, giveMemoryBack);
    return { ...state, running: null, retries: 0 };
  }

  function cancelled(state: State, originId: string | null, reply: Reply<boolean>): State {
    if (originId !== null && !options.origins.some(({ id }) => id === originId)) {
      reply.reject('not_found', `no origin ${originId}`);
      return state;
    }
    const isRunning = state.running !== null && (originId === null || state.running.originId === originId);
    const queue = state.queue.filter((scan) => originId !== null && scan.originId !== originId);
    if (isRunning) state.running?.abort.abort();
    reply.resolve(isRunning || queue.length < state.queue.length);
    return { ...state, queue };
  }
}
