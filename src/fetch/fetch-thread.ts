// The thread that brings bytes: the clients of all origins that are not read where they lie, the chunk store, and what
// decides who is asked. Started by the fetcher actor. Whoever faces the kernel asks through a port of their own and is
// given the bytes themselves; the main thread asks for listings only.
//
// Never here: the kernel's device, a write to the catalog, the tags of a file.
import type { MessagePort } from 'node:worker_threads';
import { parentPort } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import { Locations } from '../catalog/locations.ts';
import { openCatalogForReading } from '../catalog/open-catalog.ts';
import { TreeReader } from '../catalog/tree-reader.ts';
import type { VerifyProgress } from '../content/check-store.ts';
import { ChunkStore } from '../content/chunk-store.ts';
import { WantedFiles } from '../library/scan-settings.ts';
import { Bandwidth } from '../origins/bandwidth.ts';
import { createOrigin } from '../origins/create-origin.ts';
import { OriginGate } from '../origins/origin-gate.ts';
import { limitsByKind } from '../origins/origin-limits.ts';
import { systemClock } from '../platform/clock.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { createLogger } from '../platform/logger.ts';
import { releaseFreeMemory, signalEventfd } from '../platform/native.ts';
import { isCached } from '../platform/origin-settings.ts';
import { copyRanges } from './copy-ranges.ts';
import type {
  CacheAnswer,
  CacheCall,
  CallProgress,
  FetchCommand,
  FetchEvent,
  FetchStats,
  FetchThreadData,
  OriginAnswer,
  OriginCall,
  PrefetchProgress,
  ReadAnswer,
  ReadMessage,
} from './fetch-protocol.ts';
import { Fetcher } from './fetcher.ts';
import { type Holding, PinKeeper, prefetch } from './prefetch.ts';
import { tracksBelow } from './tracks-below.ts';

const housekeepingMs = 1_000;
/** What of section [cache] cannot be configured. */
const cacheLimits = {
  ...{ highShare: 0.9, lowShare: 0.8, criticalShare: 0.95, diskStopShare: 0.99 },
  ...{ flushIntervalMs: 10_000, probeIntervalMs: 60_000 },
};
const storeEveryMs = 5_000;
const scrubEveryMs = 24 * 3600 * 1000;

type Port = NonNullable<typeof parentPort>;

/** What is told to a thread that has begun. */
type Commands = (command: Exclude<FetchCommand, { type: 'begin' }>) => void;

function main(): void {
  const port = parentPort;
  if (port === null) throw new MusicfsError('internal', 'the fetch thread is a worker thread');
  let obey: Promise<Commands> | null = null;
  port.on('message', (command: FetchCommand) => {
    if (command.type === 'begin') obey = begin(port, command.data);
    else void obey?.then((commands) => commands(command));
  });
}

async function begin(port: Port, data: FetchThreadData): Promise<Commands> {
  const tell = (event: FetchEvent) => port.postMessage(event);
  const failpoints = new Failpoints(data.failpoints, data.armed);
  const database = openCatalogForReading(data.catalogPath);
  const locations = new Locations(database);
  const garbage = new Garbage();
  const gates = new Map<string, OriginGate>();
  for (const settings of data.origins) {
    const origin = await createOrigin(settings, {
      ...data,
      mountIdentity: (id) => locations.mountIdentity(id),
      agentSocket: process.env['SSH_AUTH_SOCK'],
    });
    const byKind = limitsByKind[settings.kind];
    const gate = new OriginGate({
      origin,
      priority: settings.priority,
      limits: {
        ...byKind,
        ...data.originLimits,
        concurrency: settings.concurrency ?? byKind.concurrency,
        requestsPerSecond: settings.requestsPerSecond,
      },
      clock: systemClock,
      ...(settings.bandwidth.length === 0
        ? {}
        : { bandwidth: new Bandwidth(settings.bandwidth, systemClock) }),
      random: Math.random,
      wasDown: data.down.includes(settings.id),
      onHealth: () => tellHealth(gate),
      onBytes: (bytes) => garbage.add(bytes),
    });
    gates.set(settings.id, gate);
  }
  const cached = new Set(data.origins.filter(isCached).map(({ id }) => id));
  const store = data.cache.enabled && cached.size > 0 ? await openStore(data, failpoints, tell) : null;
  const tree = new TreeReader(database, { failpoints });
  const wanted = new WantedFiles(data.walk);
  const isWanted = (name: string) => wanted.isWanted(name);
  const servedElsewhere = new Set<string>();
  const fetcher = new Fetcher({
    holders: ({ node, version }) => locations.holders(node, version),
    nextOf: (node) => locations.nextOf(node),
    gates,
    isCached: (id) => cached.has(id),
    store,
    clock: systemClock,
    random: Math.random,
    onChanged: (originId, path) => tell({ type: 'file-changed', originId, path }),
    onDiverged: (originId, path, content) => tell({ type: 'replica-diverged', originId, path, content }),
    onServedElsewhere: ({ originId, path }) => {
      if (servedElsewhere.has(`${originId}/${path}`)) return;
      if (servedElsewhere.size >= limits.servedElsewhere) servedElsewhere.clear();
      servedElsewhere.add(`${originId}/${path}`);
      tell({ type: 'served-elsewhere', originId, path });
    },
  });
  const holding: Holding = {
    isKept: ({ node, version }) =>
      store !== null && locations.holders(node, version).some(({ originName }) => cached.has(originName)),
    isComplete: (content) => store?.isComplete(content) ?? false,
    heldBytes: (content) => store?.heldBytes(content) ?? 0,
    pin: (content) => store?.pin(content),
    unpin: (content) => store?.unpin(content),
    pinned: () => store?.pins().map(({ content }) => content) ?? [],
    fetchWhole: (content, klass, signal) => fetcher.fetchWhole(content, klass, signal),
  };
  const pins = new PinKeeper({
    tree,
    holding,
    clock: systemClock,
    onProblem: (target, problem) => tell({ type: 'pin-problem', target, problem }),
  });
  const ending = new AbortController();
  const calls = new Map<number, AbortController>();
  /** Whoever faces the kernel now. */
  let reader: { end(): void } | null = null;
  let said = '';

  const keepHouse = () => {
    fetcher.keepHouse();
    garbage.look();
    const stats = statsNow();
    if (JSON.stringify(stats) !== said) tell({ type: 'stats', stats });
    said = JSON.stringify(stats);
    setTimeout(keepHouse, housekeepingMs).unref();
  };
  keepHouse();
  if (store !== null) {
    again(storeEveryMs, () => store.housekeeping(ending.signal));
    again(scrubEveryMs, () => store.scrub(ending.signal));
  }
  tell({ type: 'ready' });

  return (command) => {
    switch (command.type) {
      case 'connect':
        return connect(command.port, command.wakeFd);
      case 'call':
        return void serve(command.id, command.call);
      case 'cancel':
        return calls.get(command.id)?.abort(cancelled());
      case 'pin':
        for (const content of locations.replaced()) store?.retire(content);
        return pins.hold(command.targets);
      case 'set-failpoint':
        return failpoints.set(command.setting);
      case 'clear-failpoints':
        return failpoints.clear();
      case 'stop':
        return void stop();
    }
  };

  function tellHealth(gate: OriginGate): void {
    // From now on it is asked itself again.
    if (gate.health.state === 'healthy') servedElsewhere.clear();
    const { isOpen, originId } = gate.candidate();
    tell({ type: 'origin-health', news: { ...gate.health, originId, isOpen } });
  }

  function statsNow(): FetchStats {
    return {
      served: fetcher.served,
      refused: fetcher.refused,
      memoryBytes: fetcher.memoryBytes,
      cache: store?.stats() ?? null,
      origins: [...gates.values()].map(({ origin, stats, latency }) => ({
        originId: origin.id,
        kind: origin.kind,
        ...stats,
        p50Ms: latency.p50(),
        p99Ms: latency.p99(),
      })),
    };
  }

  /** Requests of the reader before die with its port: it asks again, or is dead. */
  function connect(readerPort: MessagePort, wakeFd: number): void {
    reader?.end();
    const reads = new Map<number, AbortController>();
    let isOver = false;
    reader = {
      end() {
        isOver = true;
        readerPort.close();
        for (const own of reads.values()) own.abort(cancelled());
      },
    };
    /** Bytes that the reader looks at. What a reader that died had is left to the collector. */
    const lent = new Map<number, Uint8Array<SharedArrayBuffer>>();
    const answer = (message: ReadAnswer) => {
      if (isOver) return;
      readerPort.postMessage(message);
      signalEventfd(wakeFd);
    };
    const read = async (message: Extract<ReadMessage, { type: 'read' }>) => {
      const { id, content, offset, lengthBytes, without } = message;
      const own = new AbortController();
      reads.set(id, own);
      try {
        await failpoints.pass('fetch.read', String(content.node), own.signal);
        const { bytes, servedBy } = await fetcher.read(content, offset, lengthBytes, without, own.signal);
        lent.set(id, bytes);
        answer({ type: 'bytes', id, bytes, servedBy });
      } catch (error) {
        if (codeOf(error) === 'internal') throw error;
        answer({ type: 'failed', id, code: codeOf(error) });
      } finally {
        reads.delete(id);
      }
    };
    readerPort.on('message', (message: ReadMessage) => {
      switch (message.type) {
        case 'read':
          return void read(message);
        case 'taken': {
          const bytes = lent.get(message.id);
          if (lent.delete(message.id) && bytes !== undefined) fetcher.giveBack(bytes);
          return;
        }
        case 'give-up':
          return reads.get(message.id)?.abort(cancelled());
        case 'reading':
          return attempt(() => fetcher.reading(message.content, message.offset, message.end));
        case 'closed':
          return fetcher.closed(message.content);
        case 'chunks':
          store?.touched(message.touched);
          for (const chunk of message.bad) void store?.reportBad(chunk);
          return;
      }
    });
  }

  async function serve(id: number, call: OriginCall | CacheCall): Promise<void> {
    const abort = new AbortController();
    calls.set(id, abort);
    try {
      const show = (progress: CallProgress) => tell({ type: 'call-progress', id, progress });
      const answer = isOriginCall(call)
        ? await answerOrigin(call, abort.signal)
        : await answerCache(call, show, abort.signal);
      tell({ type: 'called', id, answer });
    } catch (error) {
      if (codeOf(error) === 'internal') throw error;
      tell({ type: 'call-failed', id, code: codeOf(error), message: messageOf(error) });
    } finally {
      calls.delete(id);
    }
  }

  async function answerOrigin(call: OriginCall, signal: AbortSignal): Promise<OriginAnswer> {
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

  async function answerCache(
    call: CacheCall,
    show: (progress: CallProgress) => void,
    signal: AbortSignal,
  ): Promise<CacheAnswer> {
    switch (call.what) {
      case 'cache-stats':
        return { what: 'cache-stats', stats: statsNow() };
      case 'cache-verify': {
        const onProgress = (progress: VerifyProgress) => show({ what: 'cache-verify', progress });
        return { what: 'cache-verify', result: await present(store).verify(call, onProgress, signal) };
      }
      case 'cache-clear':
        return { what: 'cache-clear', ...(await clear(call)) };
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

  async function clear({
    originId,
    path,
    includePinned,
    dryRun,
  }: Extract<CacheCall, { what: 'cache-clear' }>): Promise<{ bytes: number; chunks: number }> {
    const options = { includePinned, dryRun };
    if (path === null)
      return present(store).clear({ ...options, ...(originId === null ? {} : { originId }) });
    const sum = { bytes: 0, chunks: 0 };
    for (const { content } of tracksBelow(tree, path)) {
      const { bytes, chunks } = await present(store).clear({ ...options, content });
      sum.bytes += bytes;
      sum.chunks += chunks;
    }
    return sum;
  }

  /** Begins anew some time after it has ended; what fails is tried again then. */
  function again(everyMs: number, work: () => Promise<unknown>): void {
    setTimeout(() => {
      if (ending.signal.aborted) return;
      void work()
        .catch((error: unknown) => {
          if (codeOf(error) === 'internal') throw error;
        })
        .finally(() => again(everyMs, work));
    }, everyMs).unref();
  }

  async function stop(): Promise<void> {
    reader?.end();
    ending.abort(cancelled());
    pins.close();
    await fetcher.close();
    await store?.close();
    await Promise.all([...gates.values()].map((gate) => gate.close().catch(() => undefined)));
    database.close();
    tell({ type: 'stopped' });
    port.close();
  }
}

function openStore(
  { cacheDirectory, cache, logLevel }: FetchThreadData,
  failpoints: Failpoints,
  tell: (event: FetchEvent) => void,
): Promise<ChunkStore> {
  return xxhash().then(({ h64Raw }) =>
    ChunkStore.open({
      directory: cacheDirectory,
      clock: systemClock,
      failpoints,
      hash: h64Raw,
      log: createLogger(logLevel, 'fetch-thread'),
      limits: { ...cacheLimits, ...cache },
      onEvent: (event) => tell({ type: 'cache', event }),
    }),
  );
}

function present(store: ChunkStore | null): ChunkStore {
  if (store !== null) return store;
  throw new MusicfsError('unsupported_operation', 'nothing is kept: the cache is switched off');
}

function isOriginCall(call: OriginCall | CacheCall): call is OriginCall {
  return 'originId' in call && call.what !== 'cache-clear';
}

/** What is left of buffers that came and went is collected when no more come: the engine alone would keep it for hours. */
class Garbage {
  private bytes = 0;
  private seen = 0;

  add(bytes: number): void {
    this.bytes += bytes;
  }

  /** Called every second. */
  look(): void {
    if (this.bytes > 0 && this.bytes === this.seen) {
      this.bytes = 0;
      globalThis.gc?.();
      releaseFreeMemory();
    }
    this.seen = this.bytes;
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (codeOf(error) === 'internal') throw error; // otherwise only a hint was lost
  }
}

function cancelled(): MusicfsError {
  return new MusicfsError('cancelled', 'whoever asked has given up');
}

main();
