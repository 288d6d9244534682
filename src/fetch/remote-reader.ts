// Bytes that the fetch thread brings, for the thread that faces the kernel. What is asked for stays known here until it
// is answered: when the fetch thread dies, the next one is asked again, and whoever reads only waits a little longer.
import type { MessagePort } from 'node:worker_threads';
import type { ContentKey } from '../content/content-key.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { ReadAnswer, ReadMessage } from './fetch-protocol.ts';

interface Asked {
  readonly message: Extract<ReadMessage, { type: 'read' }>;
  readonly settle: (outcome: Uint8Array | ErrorCode) => void;
}

export class RemoteReader {
  /** Bytes that came this way: a work counter. */
  bytes = 0;
  private port: MessagePort | null = null;
  private readonly asked = new Map<number, Asked>();
  private lastId = 0;
  /** Who gave bytes of a content version last. */
  private readonly served = new Map<string, string>();

  /** Reads that wait. */
  get waiting(): number {
    return this.asked.size;
  }

  /** A fetch thread is there: the first, or the next after one that died. */
  connect(port: MessagePort): void {
    this.port?.close();
    this.port = port;
    port.on('message', (answer: ReadAnswer) => this.answered(answer));
    port.unref();
    for (const { message } of this.asked.values()) port.postMessage(message);
  }

  /**
   * The bytes of a range, as far as the file goes, to be looked at in the turn in which they come: their memory is another
   * read's afterwards. Never rejects. `without`: an origin that has just failed to give
   * them. Aborting gives up at once.
   */
  read(
    content: ContentKey,
    offset: number,
    lengthBytes: number,
    without: string | null,
    signal: AbortSignal,
  ): Promise<Uint8Array | ErrorCode> {
    if (signal.aborted) return Promise.resolve('cancelled');
    if (this.asked.size >= limits.fetchesWaiting) return Promise.resolve('overloaded');
    return new Promise((resolve) => {
      this.lastId += 1;
      const id = this.lastId;
      const giveUp = () => {
        this.asked.delete(id);
        this.tell({ type: 'give-up', id });
        resolve('cancelled');
      };
      signal.addEventListener('abort', giveUp, { once: true });
      const message = { type: 'read', id, content, offset, lengthBytes, without } as const;
      this.asked.set(id, {
        message,
        settle: (outcome) => {
          signal.removeEventListener('abort', giveUp);
          resolve(outcome);
        },
      });
      this.tell(message);
    });
  }

  /** Says something that needs no answer; lost when no fetch thread is there. */
  tell(message: ReadMessage): void {
    this.port?.postMessage(message);
  }

  /** The origin that gave bytes of it last; undefined when none did for a long time. */
  servedBy(content: ContentKey): string | undefined {
    return this.served.get(keyOf(content));
  }

  close(): void {
    this.port?.close();
    this.port = null;
  }

  private answered(answer: ReadAnswer): void {
    const asked = this.asked.get(answer.id);
    if (answer.type === 'bytes') {
      const { port } = this;
      setImmediate(() => port?.postMessage({ type: 'taken', id: answer.id } satisfies ReadMessage));
    }
    if (asked === undefined) return; // given up meanwhile
    this.asked.delete(answer.id);
    if (answer.type === 'failed') return asked.settle(answer.code);
    this.bytes += answer.bytes.length;
    if (this.served.size >= limits.fetchedFiles) this.served.clear();
    this.served.set(keyOf(asked.message.content), answer.servedBy);
    asked.settle(answer.bytes);
  }
}

function keyOf({ node, version }: ContentKey): string {
  return `${node}.${version}`;
}
