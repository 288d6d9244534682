// The thread that owns the writing connection of catalog.db. Started by the catalog-writer actor; answers its requests
// one after the other. It keeps one thing in memory: which files the running scan has met, a bit for each node id.
import { parentPort, workerData } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import { defaultLibraryOptions } from '../library/library-options.ts';
import { parseTemplate, templatePresets } from '../library/template.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { openCatalogForWriting } from './open-catalog.ts';
import { Publisher } from './publisher.ts';
import type {
  Overview,
  WriterAnswers,
  WriterCommand,
  WriterEvent,
  WriterRequest,
  WriterThreadData,
} from './writer-protocol.ts';

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

async function main(data: WriterThreadData): Promise<void> {
  const port = parentPort;
  if (port === null) throw new MusicfsError('internal', 'the catalog writer is a worker thread');
  const tell = (event: WriterEvent) => port.postMessage(event);
  const { h64ToString } = await xxhash();
  const template = parseTemplate(templatePresets['default'] ?? '');
  if (template.type !== 'parsed') throw new MusicfsError('internal', 'the default template does not parse');
  let database: ReturnType<typeof openCatalogForWriting>;
  try {
    database = openCatalogForWriting(data.path, Date.now());
  } catch (error) {
    tell({ type: 'refused', code: codeOf(error), message: messageOf(error) });
    return;
  }
  const publisher = new Publisher(database, {
    template: template.template,
    library: defaultLibraryOptions,
    hash: h64ToString,
    nowMs: () => performance.timeOrigin + performance.now(),
  });
  for (const { name, kind, root } of data.origins) publisher.registerOrigin(name, kind, root);
  const scans = new Map<string, SeenNodes>();
  const overview = (): Overview => ({ origins: publisher.origins(), counters: publisher.counters() });

  port.on('message', (command: WriterCommand) => {
    if (command.type === 'close') {
      database.pragma('wal_checkpoint(TRUNCATE)');
      database.close();
      tell({ type: 'closed' });
      port.close();
      return;
    }
    try {
      const value = answer(publisher, scans, overview, command.request);
      tell({ type: 'answer', id: command.id, value, overview: overview() });
    } catch (error) {
      tell({ type: 'failure', id: command.id, code: codeOf(error), message: messageOf(error) });
    }
  });
  tell({ type: 'opened', overview: overview() });
}

function answer(
  publisher: Publisher,
  scans: Map<string, SeenNodes>,
  overview: () => Overview,
  request: WriterRequest,
): WriterAnswers[keyof WriterAnswers] {
  const scanOf = (origin: string): SeenNodes => {
    const scan = scans.get(origin);
    if (scan === undefined) throw new MusicfsError('invalid_argument', `no scan of ${origin} has begun`);
    return scan;
  };
  switch (request.type) {
    case 'begin-scan':
      scans.set(request.origin, new SeenNodes());
      return null;
    case 'compare': {
      const scan = scanOf(request.origin);
      return publisher.compare(request.origin, request.files, (node) => scan.add(node));
    }
    case 'publish': {
      const scan = scanOf(request.origin);
      return publisher.publish(request.origin, request.files, request.ignored, (node) => scan.add(node));
    }
    case 'missing': {
      const scan = scanOf(request.origin);
      return publisher.missing(request.origin, (node) => scan.has(node), request.most);
    }
    case 'remove':
      return publisher.remove(request.origin, request.paths);
    case 'finish-scan':
      publisher.finishScan(request.origin);
      scans.delete(request.origin);
      return null;
    case 'pending-invalidations':
      return publisher.pendingInvalidations(request.afterId);
    case 'invalidated':
      publisher.invalidated(request.upToId);
      return null;
    case 'overview':
      return overview();
  }
}

await main(workerData as WriterThreadData); // the actor that starts this thread is its only caller
