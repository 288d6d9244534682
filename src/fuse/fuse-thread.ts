// The thread that faces the kernel. Started by the fuse-handler actor; depends on nothing that can wait: a read-only
// catalog, the origin's files, the session's descriptor. It never writes a notification and never names a path of the
// mount.
import { statfs } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import { Locations } from '../catalog/locations.ts';
import { openCatalogForReading } from '../catalog/open-catalog.ts';
import { TreeReader } from '../catalog/tree-reader.ts';
import { ChunkReader } from '../content/chunk-reader.ts';
import { RemoteReader } from '../fetch/remote-reader.ts';
import { BackingFiles } from '../origins/backing-files.ts';
import { LocalReader } from '../origins/local-reader.ts';
import { systemClock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { Answers } from './answers.ts';
import { Content } from './content.ts';
import { KernelSession } from './drivers/kernel/kernel-session.ts';
import { OpenNodes } from './drivers/kernel/open-nodes.ts';
import { Opens } from './drivers/kernel/opens.ts';
import { SessionMemory } from './session-memory.ts';
import { SharedTexts } from './shared-texts.ts';
import { SpecialFiles } from './special-files.ts';
import { type FuseCommand, FuseCounters, type FuseEvent, type FuseThreadData } from './thread-protocol.ts';

const housekeepingMs = 10_000;
const reportMs = 1_000;

type Port = NonNullable<typeof parentPort>;

/** What is told to a thread that has begun. */
type Commands = (command: Exclude<FuseCommand, { type: 'begin' }>) => void;

function main(): void {
  const port = parentPort;
  if (port === null) throw new MusicfsError('internal', 'the fuse thread is a worker thread');
  let obey: Promise<Commands> | null = null;
  port.on('message', (command: FuseCommand) => {
    if (command.type === 'begin') obey = begin(port, command.data);
    else void obey?.then((commands) => commands(command));
  });
}

/** Of this thread alone: names are answered although others cut, hash and decrypt. */
const niceness = -5;

function goFirst(): void {
  try {
    setPriority(niceness); // Linux takes 0 for the calling thread
  } catch {
    // Only root may, and nothing depends on it.
  }
}

async function begin(port: Port, data: FuseThreadData): Promise<Commands> {
  goFirst();
  const tell = (event: FuseEvent) => port.postMessage(event);
  const counters = new FuseCounters(data.counters);
  const failpoints = new Failpoints(data.failpoints, data.armed);
  const database = openCatalogForReading(data.catalogPath);
  const tree = new TreeReader(database, {
    failpoints,
    formerNameMs: data.formerNameMs,
    caseInsensitive: data.caseInsensitive,
  });
  const locate = (id: number, version: number) => tree.location(id, version);
  const local = new LocalReader(locate, systemClock, failpoints);
  const remote = new RemoteReader();
  const chunks =
    data.cacheDirectory === null
      ? null
      : new ChunkReader({
          directory: data.cacheDirectory,
          clock: systemClock,
          failpoints,
          hash: (await xxhash()).h64Raw,
          memoryTierBytes: limits.memoryTierBytes,
        });
  const content = new Content({
    local,
    remote,
    chunks,
    locations: new Locations(database),
    fetched: new Set(data.fetched),
    clock: systemClock,
  });
  const backing = new BackingFiles(locate, systemClock);
  const passable: Pick<BackingFiles, 'openNow' | 'openLater'> = {
    openNow: (id, version) => (content.mayPassThrough(id, version) ? backing.openNow(id, version) : null),
    openLater: (id, version) => backing.openLater(id, version),
  };
  const texts = new SharedTexts(data.texts);
  const special = new SpecialFiles({
    clock: systemClock,
    texts: () => texts.read(),
    refresh: () => tell({ type: 'refresh-asked' }),
  });
  const answers = new Answers(tree, content, special);
  const opens = new Opens({
    deviceFd: data.deviceFd,
    nodes: new OpenNodes(data.memoryFd),
    backing: passable,
    answers,
    clock: systemClock,
    failpoints,
  });
  let freeBytes = 0;

  const publishCounters = () => {
    counters.beat();
    counters.set('statements', tree.statements);
    counters.set('openHandles', opens.handles);
    counters.set('passthroughOpens', opens.handedOver);
    counters.set('originOpens', local.stats.opens);
    counters.set('cachedReads', local.stats.cachedReads);
    counters.set('waitedReads', local.stats.waitedReads);
    counters.set('bytesRead', local.stats.bytes);
    counters.set('bytesFetched', remote.bytes);
    counters.set('cacheHits', chunks?.stats.hits ?? 0);
    counters.set('cacheMisses', chunks?.stats.misses ?? 0);
    counters.set('cacheBytes', chunks?.stats.bytes ?? 0);
  };

  const session = new KernelSession({
    deviceFd: data.deviceFd,
    wakeFd: data.wakeFd,
    answers,
    opens,
    passthrough: data.passthrough,
    counters,
    failpoints,
    clock: systemClock,
    ownership: data.ownership,
    memory: new SessionMemory(data.memoryFd),
    onServing: (negotiated) => tell({ type: 'serving', negotiated }),
    onAnswering: () => tell({ type: 'answering' }),
    onEnded: (errno) => tell({ type: 'session-ended', errno }),
    freeBytes: () => freeBytes,
    onBeat: publishCounters,
  });

  const measureFreeSpace = () =>
    statfs(data.stateDirectory, (error, stat) => {
      if (error === null) freeBytes = stat.bavail * stat.bsize;
    });
  const keepHouse = () => {
    local.closeIdle(counters.get('descriptorsScarce') > 0 ? 0 : undefined);
    backing.closeIdle();
    chunks?.closeIdle();
    measureFreeSpace();
    setTimeout(keepHouse, housekeepingMs).unref();
  };

  const reportChunks = () => {
    content.report();
    setTimeout(reportChunks, reportMs).unref();
  };

  keepHouse();
  if (chunks !== null) reportChunks();
  session.start();

  return (command) => {
    switch (command.type) {
      case 'stop':
        void session.stop(command.how).then(() => {
          local.close();
          remote.close();
          chunks?.close();
          backing.close();
          database.close();
          tell({ type: 'stopped' });
          port.close();
        });
        return;
      case 'connect':
        return remote.connect(command.port);
      case 'set-failpoint':
        return failpoints.set(command.setting);
      case 'clear-failpoints':
        return failpoints.clear();
    }
  };
}

main();
