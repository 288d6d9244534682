// The fetch thread's end of the port through which whoever faces the kernel asks for bytes. A reader that dies takes its
// requests with it: the next one has a port of its own and asks again.
import type { MessagePort } from 'node:worker_threads';
import type { ChunkStore } from '../content/chunk-store.ts';
import { codeOf, MusicfsError } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { signalEventfd } from '../platform/native.ts';
import type { ReadAnswer, ReadMessage } from './fetch-protocol.ts';
import type { Fetcher } from './fetcher.ts';

export interface ReaderPortOptions {
  readonly port: MessagePort;
  /** An eventfd that is signalled with each answer. */
  readonly wakeFd: number;
  readonly fetcher: Fetcher;
  /** null: nothing is kept. */
  readonly store: ChunkStore | null;
  readonly failpoints: Failpoints;
}

export class ReaderPort {
  private readonly options: ReaderPortOptions;
  private readonly reads = new Map<number, AbortController>();
  /** Bytes that the reader looks at. What a reader that died had is left to the collector. */
  private readonly lent = new Map<number, Uint8Array<SharedArrayBuffer>>();
  private isOver = false;

  constructor(options: ReaderPortOptions) {
    this.options = options;
    options.port.on('message', (message: ReadMessage) => this.take(message));
  }

  /** Gives up what was asked. Nothing is answered any more. */
  end(): void {
    this.isOver = true;
    this.options.port.close();
    for (const own of this.reads.values()) own.abort(cancelled());
  }

  private take(message: ReadMessage): void {
    const { fetcher, store } = this.options;
    switch (message.type) {
      case 'read':
        void this.read(message);
        return;
      case 'taken': {
        const bytes = this.lent.get(message.id);
        if (this.lent.delete(message.id) && bytes !== undefined) fetcher.giveBack(bytes);
        return;
      }
      case 'give-up':
        this.reads.get(message.id)?.abort(cancelled());
        return;
      case 'reading':
        hint(() => fetcher.reading(message.content, message.offset, message.end));
        return;
      case 'closed':
        fetcher.closed(message.content);
        return;
      case 'chunks':
        store?.touched(message.touched);
        for (const chunk of message.bad) void store?.reportBad(chunk);
    }
  }

  private async read(message: Extract<ReadMessage, { type: 'read' }>): Promise<void> {
    const { id, content, offset, lengthBytes, without } = message;
    const { fetcher, failpoints } = this.options;
    const own = new AbortController();
    this.reads.set(id, own);
    try {
      await failpoints.pass('fetch.read', String(content.node), own.signal);
      const { bytes, servedBy } = await fetcher.read(content, offset, lengthBytes, without, own.signal);
      this.lent.set(id, bytes);
      this.answer({ type: 'bytes', id, bytes, servedBy });
    } catch (error) {
      if (codeOf(error) === 'internal') throw error;
      this.answer({ type: 'failed', id, code: codeOf(error) });
    } finally {
      this.reads.delete(id);
    }
  }

  private answer(message: ReadAnswer): void {
    if (this.isOver) return;
    this.options.port.postMessage(message);
    signalEventfd(this.options.wakeFd);
  }
}

/** Where it fails nothing is lost but a hint. */
function hint(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (codeOf(error) === 'internal') throw error;
  }
}

function cancelled(): MusicfsError {
  return new MusicfsError('cancelled', 'whoever asked has given up');
}
