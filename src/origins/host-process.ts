// The process in which the files of one mounted share are read: the share may hang in a system call for ever, and only a
// process can be killed. Started by host-child.ts; talks over descriptor 3 (host-protocol.ts).
//
// It has no secrets, no environment and no other descriptors, decides nothing, and remembers nothing between calls. It ends
// with its parent and at the end of its input, without waiting for threads that hang.
import { Socket } from 'node:net';
import { realPath } from '../library/real-path.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { endWithParent, exitNow } from '../platform/native.ts';
import { fileFailure } from './file-failures.ts';
import {
  type DaemonMessage,
  encodeMessage,
  type HostedDirectory,
  type HostMessage,
  type HostRequest,
  type HostResult,
  longestMessageBytes,
  parseDaemonMessage,
} from './host-protocol.ts';
import { LocalFilesOrigin } from './local-files.ts';
import { mountIdentityOf } from './mount-identity.ts';
import { PacketReader } from './packet-reader.ts';

const parentFd = 3;

function main(): void {
  endWithParent();
  const socket = new Socket({ fd: parentFd, readable: true, writable: true });
  const send = (message: HostMessage) => void socket.write(encodeMessage(message));
  const packets = new PacketReader(longestMessageBytes);
  let host: Host | null = null;
  socket.on('data', (piece: Buffer) => {
    for (const packet of packets.push(piece)) {
      const message = parseDaemonMessage(packet);
      if (message.type === 'begin') host = new Host(message.directory, send);
      else host?.receive(message);
    }
  });
  socket.on('error', () => exitNow(0));
  socket.on('close', () => exitNow(0));
  send({ type: 'ready', id: 0 });
}

/** A call under way, and what it waits for from the other side. */
class Call {
  readonly ending = new AbortController();
  private credit = 0;
  private creditCame: (() => void) | null = null;
  private answer: ((answers: readonly boolean[]) => void) | null = null;

  constructor() {
    this.ending.signal.addEventListener('abort', () => {
      this.creditCame?.();
      this.answer?.([]);
    });
  }

  addCredit(bytes: number): void {
    this.credit += bytes;
    this.creditCame?.();
  }

  giveAnswers(answers: readonly boolean[]): void {
    this.answer?.(answers);
  }

  /** Waits until that many bytes may be sent. Rejects when the call is aborted. */
  async spend(bytes: number): Promise<void> {
    while (this.credit < bytes && !this.ending.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.creditCame = resolve;
      });
    }
    this.ending.signal.throwIfAborted();
    this.credit -= bytes;
  }

  async answers(): Promise<readonly boolean[]> {
    this.ending.signal.throwIfAborted();
    const answers = await new Promise<readonly boolean[]>((resolve) => {
      this.answer = resolve;
    });
    this.ending.signal.throwIfAborted();
    return answers;
  }
}

class Host {
  private readonly directory: HostedDirectory;
  private readonly files: LocalFilesOrigin;
  private readonly send: (message: HostMessage) => void;
  private readonly calls = new Map<number, Call>();

  constructor(directory: HostedDirectory, send: (message: HostMessage) => void) {
    this.directory = directory;
    this.files = new LocalFilesOrigin({ ...directory, onAbort: 'wait' });
    this.send = send;
  }

  receive(message: Exclude<DaemonMessage, { type: 'begin' }>): void {
    const call = this.calls.get(message.id);
    switch (message.type) {
      case 'call':
        void this.run(message.id, message.request);
        return;
      case 'wanted':
        call?.giveAnswers(message.answers);
        return;
      case 'credit':
        call?.addCredit(message.bytes);
        return;
      case 'abort':
        call?.ending.abort();
        return;
    }
  }

  private async run(id: number, request: HostRequest): Promise<void> {
    const call = new Call();
    this.calls.set(id, call);
    try {
      const result = await this.resultOf(id, request, call);
      this.send({ type: 'done', id, result });
    } catch (error) {
      const failure = fileFailure(error, this.directory.root);
      this.send({ type: 'failed', id, code: codeOf(failure), message: messageOf(failure).slice(0, 2048) });
    } finally {
      this.calls.delete(id);
    }
  }

  private async resultOf(id: number, request: HostRequest, call: Call): Promise<HostResult> {
    const { signal } = call.ending;
    switch (request.type) {
      case 'list': {
        const choose = (names: readonly string[]) => {
          const answers = call.answers();
          this.send({ type: 'names', id, names });
          return answers;
        };
        for await (const entries of this.files.listChosen(realPath(request.path), choose, signal))
          this.send({ type: 'page', id, entries });
        return null;
      }
      case 'stat':
        return this.files.stat(realPath(request.path), signal);
      case 'follow':
        return this.files.followLink(realPath(request.path), signal);
      case 'read': {
        const { path, version, offset, lengthBytes } = request;
        call.addCredit(request.creditBytes);
        for await (const bytes of this.files.readRange(
          realPath(path),
          version,
          offset,
          lengthBytes,
          signal,
        )) {
          await call.spend(bytes.length);
          this.send({ type: 'bytes', id, bytes });
        }
        return null;
      }
      case 'identity': {
        const identity = await mountIdentityOf(this.directory.root);
        return identity.slice(0, 4096);
      }
    }
  }
}

if (import.meta.main) main();
