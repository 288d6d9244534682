// The thread that owns the writing connection of catalog.db. Started by the catalog-writer actor; answers its requests
// one after the other. It keeps one thing in memory: which files the running scan has met, a bit for each node id.
import { parentPort } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import { parseTemplate } from '../library/template.ts';
import { systemClock } from '../platform/clock.ts';
import { ClockWatch } from '../platform/clock-watch.ts';
import { codeOf, type ErrorCode, MusicfsError, messageOf } from '../platform/errors.ts';
import { Failpoints, InjectedCrash } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { giveMemoryBack } from '../platform/own-resources.ts';
import { isUsedUp, reserved, writeRecord } from './catalog-record.ts';
import { isDamage } from './open-catalog.ts';
import { Publisher } from './publisher.ts';
import { issuedIds, openOrRecover } from './recover-catalog.ts';
import type {
  Overview,
  WriterAnswers,
  WriterCommand,
  WriterEvent,
  WriterRequest,
  WriterThreadData,
} from './writer-protocol.ts';

/** How often the wall clock is compared with the monotonic one. */
const clockEveryMs = 2_000;
/** A start has better things to do first. */
const layoutStartMs = 1_000;
/** The disk may be full. */
const layoutAgainMs = 60_000;
/** After the answer is out. */
const collectMs = 1_000;

/** Which node ids a scan has met. Grows to the highest id, an eighth of a byte each. */
class SeenNodes {
  private bits = new Uint32Array(1024);

  add(node: number): void {
    const word = Math.floor(node / 32);
    if (word >= this.bits.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.bits.length * 2));
      grown.set(this.bits);
      this.bits = grown;
    }
    this.bits[word] = (this.bits[word] ?? 0) | (1 << (node % 32));
  }

  has(node: number): boolean {
    return ((this.bits[Math.floor(node / 32)] ?? 0) & (1 << (node % 32))) !== 0;
  }
}

type Port = NonNullable<typeof parentPort>;

/** What is told to a thread that has begun. */
type Commands = (command: Exclude<WriterCommand, { type: 'begin' }>) => void;

async function main(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new MusicfsError('internal', 'the catalog writer is a worker thread');
  const { h64ToString } = await xxhash();
  let obey: Commands | null = null;
  port.on('message', (command: WriterCommand) => {
    if (command.type !== 'begin') return obey?.(command);
    try {
      obey = begin(port, command.data, h64ToString);
    } catch (error) {
      port.postMessage({
        type: 'refused',
        code: codeOf(error),
        message: messageOf(error),
      } satisfies WriterEvent);
    }
  });
}

function begin(port: Port, data: WriterThreadData, hash: (text: string) => string): Commands {
  const tell = (event: WriterEvent) => port.postMessage(event);
  const template = parseTemplate(data.library.template);
  if (template.type !== 'parsed')
    throw new MusicfsError(
      'config_invalid',
      `library.template, column ${template.column}: ${template.reason}`,
    );
  const failpoints = new Failpoints(data.failpoints, data.armed);
  const { database, isClean, recovery } = openOrRecover(data.path, Date.now(), {
    mayRecover: data.mayRecover,
    failpoints,
  });
  let record = reserved(issuedIds(database));
  writeRecord(data.path, record);
  const watch = new ClockWatch(systemClock);
  const watchClock = () => {
    const byMs = watch.look();
    if (byMs !== null) tell({ type: 'clock-jumped', byMs });
    setTimeout(watchClock, clockEveryMs).unref();
  };
  watchClock();
  const publisher = new Publisher(database, {
    template: template.template,
    library: data.library.options,
    hash,
    nowMs: Date.now,
    failpoints,
    watch,
    wantsFileFp: data.origins.length > 1,
  });
  for (const { name, kind, root, priority } of data.origins)
    publisher.registerOrigin(name, kind, root, priority);
  const scans = new Map<string, SeenNodes>();
  const overview = (): Overview => ({ origins: publisher.origins(), counters: publisher.counters() });
  const unscanned = new Set(data.origins.map(({ name }) => name));
  const scanned = (origin: string) => {
    unscanned.delete(origin);
    if (unscanned.size === 0) publisher.endRecovery();
  };
  tell({ type: 'opened', overview: overview(), isClean, recovery });
  let isClosed = false;
  setTimeout(layOut, layoutStartMs).unref();

  return (command) => {
    switch (command.type) {
      case 'request':
        return serve(command);
      case 'set-failpoint':
        return failpoints.set(command.setting);
      case 'clear-failpoints':
        return failpoints.clear();
      case 'close':
        return close();
    }
  };

  /** A step at a time, with room for requests between two. */
  function layOut(): void {
    if (isClosed || !publisher.isOutOfLayout) return;
    try {
      const { changed, hasInvalidations } = publisher.layOut(limits.layoutTracks);
      const isDone = !publisher.isOutOfLayout;
      tell({ type: 'laid-out', tracks: changed, hasInvalidations, isDone, overview: overview() });
      setImmediate(layOut);
    } catch (error) {
      if (error instanceof InjectedCrash) throw error;
      tell({ type: 'layout-failed', code: failureCodeOf(error), message: messageOf(error) });
      setTimeout(layOut, layoutAgainMs).unref();
    }
  }

  function close(): void {
    isClosed = true;
    failpoints.check('catalog.checkpoint');
    const issued = issuedIds(database);
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    writeRecord(data.path, { clean: true, ...issued }); // last of all
    tell({ type: 'closed' });
    port.close();
  }

  function serve(command: Extract<WriterCommand, { type: 'request' }>): void {
    try {
      const { request } = command;
      if (request.type === 'publish') {
        const issued = issuedIds(database);
        if (isUsedUp(record, issued)) {
          record = reserved(issued);
          writeRecord(data.path, record);
        }
      }
      const value = answer(publisher, scans, overview, request);
      if (request.type === 'finish-scan' || request.type === 'abandon-scan') scanned(request.origin);
      tell({ type: 'answer', id: command.id, value, overview: overview() });
    } catch (error) {
      if (error instanceof InjectedCrash) throw error;
      tell({ type: 'failure', id: command.id, code: failureCodeOf(error), message: messageOf(error) });
    }
  }
}

/** SQLite's own failures by their code: a damaged file is one thing, a full or failing disk may be well again later. */
function failureCodeOf(error: unknown): ErrorCode {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('SQLITE_')) return codeOf(error);
  if (isDamage(error)) return 'catalog_corrupt';
  return /^SQLITE_(FULL|IOERR|BUSY|READONLY|CANTOPEN)/.test(code) ? 'unavailable' : 'internal';
}

function answer(
  publisher: Publisher,
  scans: Map<string, SeenNodes>,
  overview: () => Overview,
  request: WriterRequest,
): WriterAnswers[keyof WriterAnswers] {
  const scanOf = (origin: string): SeenNodes => {
    const scan = scans.get(origin);
    // It began in an earlier life of this thread: it must begin again.
    if (scan === undefined) throw new MusicfsError('unavailable', `no scan of ${origin} has begun`);
    return scan;
  };
  switch (request.type) {
    case 'begin-scan':
      scans.set(request.origin, new SeenNodes());
      return null;
    case 'compare': {
      const scan = scanOf(request.origin);
      return publisher.compare(request.origin, request.files, (key) => scan.add(key));
    }
    case 'publish': {
      const scan = scanOf(request.origin);
      return publisher.publish(request.origin, request.files, request.ignored, (key) => scan.add(key));
    }
    case 'missing': {
      const scan = scanOf(request.origin);
      return publisher.missing(request.origin, (key) => scan.has(key), request.from, request.most);
    }
    case 'remove':
      return publisher.remove(request.origin, request.paths);
    case 'finish-scan':
      publisher.finishScan(request.origin, request.mountPoints);
      scans.delete(request.origin);
      setTimeout(giveMemoryBack, collectMs).unref(); // a scan's garbage, before a time of nothing
      return null;
    case 'abandon-scan':
      scans.delete(request.origin);
      return null;
    case 'art-settings':
      publisher.useArtSettings(request.settings);
      return null;
    case 'albums-wanting-art':
      return publisher.albumsWantingArt(request.after, request.most);
    case 'show-art':
      return publisher.showArt(request.album, request.files);
    case 'show-no-art':
      return publisher.showNoArt(request.albums);
    case 'playlists':
      return publisher.playlists();
    case 'show-playlists':
      return publisher.showPlaylists(request.files);
    case 'made-referenced':
      return request.paths.filter((path) => publisher.isMadeReferenced(path));
    case 'pins':
      return publisher.pins();
    case 'add-pin':
      return publisher.addPin(request.target);
    case 'remove-pin':
      return publisher.removePin(request.target);
    case 'pending-invalidations':
      return publisher.pendingInvalidations(request.afterId);
    case 'invalidated':
      publisher.invalidated(request.upToId);
      return null;
    case 'overview':
      return overview();
  }
}

await main();
