// The thread that brings bytes: the clients of all origins that are not read where they lie, the chunk store, and what
// decides who is asked. Started by the fetcher actor. Whoever faces the kernel asks through a port of their own and is
// given the bytes themselves; the main thread asks for listings only.
//
// Never here: the kernel's device, a write to the catalog, the tags of a file.
import { parentPort } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import { Locations } from '../catalog/locations.ts';
import { openCatalogForReading } from '../catalog/open-catalog.ts';
import { TreeReader } from '../catalog/tree-reader.ts';
import { ChunkStore } from '../content/chunk-store.ts';
import { WantedFiles } from '../library/scan-settings.ts';
import { Bandwidth } from '../origins/bandwidth.ts';
import { createOrigin } from '../origins/create-origin.ts';
import { OriginGate } from '../origins/origin-gate.ts';
import { limitsByKind } from '../origins/origin-limits.ts';
import { systemClock } from '../platform/clock.ts';
import { codeOf, MusicfsError } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { createLogger } from '../platform/logger.ts';
import { isCached } from '../platform/origin-settings.ts';
import { giveMemoryBack } from '../platform/own-resources.ts';
import { CallAnswerer } from './answer-calls.ts';
import type { FetchCommand, FetchEvent, FetchStats, FetchThreadData } from './fetch-protocol.ts';
import { Fetcher } from './fetcher.ts';
import { type Holding, PinKeeper } from './prefetch.ts';
import { ReaderPort } from './reader-port.ts';

const housekeepingMs = 1_000;
const quietSecondsToCollect = 10;
/** What of section [cache] cannot be configured. */
const cacheLimits = {
  ...{ highShare: 0.9, lowShare: 0.8, criticalShare: 0.95, diskStopShare: 0.99 },
  ...{ flushIntervalMs: 10_000, probeIntervalMs: 60_000, chunkInUseMs: 60_000 },
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
  const calls = new CallAnswerer({ gates, isWanted, store, tree, holding, pins, stats: statsNow, tell });
  /** Whoever faces the kernel now. */
  let reader: ReaderPort | null = null;
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
        reader?.end();
        reader = new ReaderPort({ port: command.port, wakeFd: command.wakeFd, fetcher, store, failpoints });
        return;
      case 'call':
        return void calls.serve(command.id, command.call);
      case 'cancel':
        return calls.cancel(command.id);
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
    ending.abort(new MusicfsError('cancelled', 'the thread ends'));
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
  { cacheDirectory, cache, cacheIntervals, logLevel }: FetchThreadData,
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
      limits: { ...cacheLimits, ...cache, ...cacheIntervals },
      onEvent: (event) => tell({ type: 'cache', event }),
    }),
  );
}

/**
 * What is left of buffers that came and went is collected when no more come: the engine alone would keep it for hours. Not
 * between two bursts of a player, who would pay for it: the thread stands still meanwhile.
 */
class Garbage {
  private isSome = true; // what the start of the thread leaves
  private quietSeconds = 0;

  add(bytes: number): void {
    if (bytes === 0) return;
    this.isSome = true;
    this.quietSeconds = 0;
  }

  /** Called every second. */
  look(): void {
    this.quietSeconds += 1;
    if (!this.isSome || this.quietSeconds < quietSecondsToCollect) return;
    this.isSome = false;
    giveMemoryBack();
  }
}

main();
