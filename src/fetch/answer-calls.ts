// What the main thread asks of the fetch thread: listings and files of origins for a scan, and all that commands want of the
// cache. Each call may show progress, can be cancelled, and is answered once.

import type { TreeReader } from '../catalog/tree-reader.ts';
import type { VerifyProgress } from '../content/check-store.ts';
import type { ChunkStore } from '../content/chunk-store.ts';
import type { IsWanted } from '../origins/origin.ts';
import type { OriginGate } from '../origins/origin-gate.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { copyRanges } from './copy-ranges.ts';
import type {
  CacheAnswer,
  CacheCall,
  CallProgress,
  FetchEvent,
  FetchStats,
  OriginAnswer,
  OriginCall,
  PrefetchProgress,
} from './fetch-protocol.ts';
import { type Holding, type PinKeeper, prefetch } from './prefetch.ts';
import { tracksBelow } from './tracks-below.ts';

export interface CallAnswererOptions {
  readonly gates: ReadonlyMap<string, OriginGate>;
  readonly isWanted: IsWanted;
  /** null: nothing is kept. */
  readonly store: ChunkStore | null;
  readonly tree: TreeReader;
  readonly holding: Holding;
  readonly pins: PinKeeper;
  readonly stats: () => FetchStats;
  readonly tell: (event: FetchEvent) => void;
}

export class CallAnswerer {
  private readonly options: CallAnswererOptions;
  private readonly calls = new Map<number, AbortController>();

  constructor(options: CallAnswererOptions) {
    this.options = options;
  }

  /** Answers by an event. Rejects for a bug only. */
  async serve(id: number, call: OriginCall | CacheCall): Promise<void> {
    const { tell } = this.options;
    const abort = new AbortController();
    this.calls.set(id, abort);
    try {
      const show = (progress: CallProgress) => tell({ type: 'call-progress', id, progress });
      const answer = isOriginCall(call)
        ? await this.answerOrigin(call, abort.signal)
        : await this.answerCache(call, show, abort.signal);
      tell({ type: 'called', id, answer });
    } catch (error) {
      if (codeOf(error) === 'internal') throw error;
      tell({ type: 'call-failed', id, code: codeOf(error), message: messageOf(error) });
    } finally {
      this.calls.delete(id);
    }
  }

  cancel(id: number): void {
    this.calls.get(id)?.abort(new MusicfsError('cancelled', 'whoever asked has given up'));
  }

  private async answerOrigin(call: OriginCall, signal: AbortSignal): Promise<OriginAnswer> {
    const { gates, isWanted } = this.options;
    const gate = gates.get(call.originId);
    if (gate === undefined) throw new MusicfsError('not_found', `no origin ${call.originId}`);
    switch (call.what) {
      case 'list':
        return { what: 'list', entries: await gate.list(call.directory, isWanted, signal) };
      case 'stat':
        try {
          return { what: 'stat', entry: await gate.stat(call.path, 'scan', signal) };
        } catch (error) {
          if (codeOf(error) === 'not_found') return { what: 'stat', entry: null };
          throw error;
        }
      case 'read': {
        const { path, version, mostBytes } = call;
        const pieces: Uint8Array[] = [];
        for await (const bytes of gate.readRange(path, version, 0, mostBytes, 'scan', signal))
          pieces.push(bytes);
        // A copy: what is sent to another thread is all that lies behind a view.
        return { what: 'read', bytes: new Uint8Array(Buffer.concat(pieces)) };
      }
      case 'follow':
        return { what: 'follow', place: await gate.followLink(call.path, signal) };
      case 'copy':
        await copyRanges(gate, call, signal);
        return { what: 'copy' };
      case 'probe': {
        const problem = await gate.probe();
        if (problem !== null) throw problem;
        return { what: 'probe', identity: gate.origin.mountIdentity ?? null };
      }
    }
  }

  private async answerCache(
    call: CacheCall,
    show: (progress: CallProgress) => void,
    signal: AbortSignal,
  ): Promise<CacheAnswer> {
    const { tree, holding, pins, stats } = this.options;
    switch (call.what) {
      case 'cache-stats':
        return { what: 'cache-stats', stats: stats() };
      case 'cache-verify': {
        const onProgress = (progress: VerifyProgress) => show({ what: 'cache-verify', progress });
        return { what: 'cache-verify', result: await this.store.verify(call, onProgress, signal) };
      }
      case 'cache-clear':
        return { what: 'cache-clear', ...(await this.clear(call)) };
      case 'prefetch': {
        let last: PrefetchProgress | null = null;
        for await (const progress of prefetch(tree, call.paths, holding, 'prefetch', signal)) {
          show({ what: 'prefetch', progress });
          last = progress;
        }
        if (last === null) throw new MusicfsError('internal', 'a prefetch said nothing');
        return { what: 'prefetch', progress: last };
      }
      case 'pins':
        return { what: 'pins', pins: pins.states() };
      case 'find':
        tracksBelow(tree, call.path).next();
        return { what: 'find' };
    }
  }

  private async clear({
    originId,
    path,
    includePinned,
    dryRun,
  }: Extract<CacheCall, { what: 'cache-clear' }>): Promise<{ bytes: number; chunks: number }> {
    const options = { includePinned, dryRun };
    if (path === null) return this.store.clear({ ...options, ...(originId === null ? {} : { originId }) });
    const sum = { bytes: 0, chunks: 0 };
    for (const { content } of tracksBelow(this.options.tree, path)) {
      const { bytes, chunks } = await this.store.clear({ ...options, content });
      sum.bytes += bytes;
      sum.chunks += chunks;
    }
    return sum;
  }

  private get store(): ChunkStore {
    const { store } = this.options;
    if (store !== null) return store;
    throw new MusicfsError('unsupported_operation', 'nothing is kept: the cache is switched off');
  }
}

function isOriginCall(call: OriginCall | CacheCall): call is OriginCall {
  return 'originId' in call && call.what !== 'cache-clear';
}
