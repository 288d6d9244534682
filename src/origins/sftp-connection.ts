// One connection to an SFTP server, as many requests on it at a time as its users send. Made by sftp-dial.ts.
//
// Every request has a number; its reply, which may come in any order, settles its promise. Requests that are made in one
// turn leave in one packet. A request cannot be called back: whoever no longer wants its reply lets it pass, but a handle
// that arrives for nobody is closed here. The connection ends as a whole, by a violation of the protocol, a broken
// integrity check or a silent peer; then every promise rejects with `origin_unavailable`.
import type { ClientChannel } from 'ssh2';
import type { Clock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { PacketReader, ProtocolViolation } from './packet-reader.ts';
import {
  type Attributes,
  encodeRequest,
  longestPacketBytes,
  type NamedAttributes,
  parseReply,
  protocolVersion,
  type Reply,
  requests,
  statusCodes,
} from './sftp-protocol.ts';

/** A STATUS reply that is no success, by its number. */
export class SftpStatus extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`SFTP status ${code}`);
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** What the connection runs over, and how it is ended. */
export interface SftpTransport {
  readonly channel: ClientChannel;
  /** Ends it, politely first. */
  readonly end: () => void;
}

const readOnly = 1; // SSH_FXF_READ
const noAttributes = 0;

export class SftpConnection {
  private readonly transport: SftpTransport;
  private readonly clock: Clock;
  private readonly about: string;
  private readonly packets = new PacketReader(longestPacketBytes);
  private readonly waiting = new Map<number, Waiting>();
  private outbox: Buffer[] = [];
  private lastId = 0;
  private lastAnsweredId = 0;
  private silentSinceMs = 0;
  private failure: MusicfsError | null = null;
  private greeting: Waiting | null = null;
  private readonly endings: (() => void)[] = [];

  constructor(transport: SftpTransport, clock: Clock, about: string) {
    this.transport = transport;
    this.clock = clock;
    this.about = about;
    transport.channel.on('data', (piece: Buffer) => this.receive(piece));
    transport.channel.stderr.resume();
    transport.channel.on('close', () => this.fail('the server closed the connection'));
    transport.channel.on('error', () => this.fail('the connection broke'));
  }

  get isOver(): boolean {
    return this.failure !== null;
  }

  /** Something was asked, and for a while nothing at all has come. */
  get isSilent(): boolean {
    if (this.waiting.size === 0) return false;
    return this.clock.monotonicMs() - this.silentSinceMs > limits.sftpSilenceMs;
  }

  /** What tells whether anything asked from now on was answered; an answer to what was asked before does not count. */
  mark(): () => boolean {
    const askedBefore = this.lastId;
    return () => this.lastAnsweredId > askedBefore;
  }

  /** Called once, when it is over, for whatever reason. */
  onEnd(fire: () => void): void {
    if (this.isOver) fire();
    else this.endings.push(fire);
  }

  /** The first exchange. Rejects when the peer speaks no SFTP of this version. */
  async greet(): Promise<void> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.greeting = { resolve, reject };
      this.send(encodeRequest(requests.init, protocolVersion));
    });
    if (reply.type !== 'version' || reply.version < protocolVersion)
      throw this.fail(`the server speaks no SFTP version ${protocolVersion}`);
  }

  /** Follows links. */
  stat(path: Buffer): Promise<Attributes> {
    return this.attributes(requests.stat, path);
  }

  /** Follows no link at the end of the path. */
  lstat(path: Buffer): Promise<Attributes> {
    return this.attributes(requests.lstat, path);
  }

  fstat(handle: Buffer): Promise<Attributes> {
    return this.attributes(requests.fstat, handle);
  }

  open(path: Buffer): Promise<Buffer> {
    return this.handle(requests.open, path, readOnly, noAttributes);
  }

  openDirectory(path: Buffer): Promise<Buffer> {
    return this.handle(requests.opendir, path);
  }

  /** The next names, null at the end. */
  async names(handle: Buffer): Promise<readonly NamedAttributes[] | null> {
    const reply = await this.ask(requests.readdir, handle);
    if (reply.type === 'names') return reply.entries;
    if (reply.type === 'status' && reply.code === statusCodes.eof) return null;
    throw this.unexpected(reply);
  }

  /** One to `lengthBytes` bytes, null at the end of the file. */
  async read(handle: Buffer, offset: number, lengthBytes: number): Promise<Buffer | null> {
    const reply = await this.ask(requests.read, handle, BigInt(offset), lengthBytes);
    if (reply.type === 'status' && reply.code === statusCodes.eof) return null;
    if (reply.type !== 'data') throw this.unexpected(reply);
    if (reply.bytes.length === 0 || reply.bytes.length > lengthBytes)
      throw this.fail('the server answered a read with a length nobody asked for');
    return reply.bytes;
  }

  /** Lets a handle go. Nobody waits for the answer. */
  closeHandle(handle: Buffer): void {
    if (!this.isOver) this.ask(requests.close, handle).catch(() => undefined);
  }

  /** Ends it; whoever waits for a reply is told why. */
  end(why: string): void {
    this.fail(why);
  }

  /** Ends it for that reason. Returns the failure it has, which may be an earlier one. */
  fail(why: string): MusicfsError {
    if (this.failure !== null) return this.failure;
    const failure = new MusicfsError('origin_unavailable', `${this.about}: ${why}`);
    this.failure = failure;
    this.outbox = [];
    const waiting = [...this.waiting.values(), ...(this.greeting === null ? [] : [this.greeting])];
    this.waiting.clear();
    for (const { reject } of waiting) reject(failure);
    this.transport.end();
    for (const fire of this.endings.splice(0)) fire();
    return failure;
  }

  private async attributes(type: number, subject: Buffer): Promise<Attributes> {
    const reply = await this.ask(type, subject);
    if (reply.type !== 'attributes') throw this.unexpected(reply);
    return reply.attributes;
  }

  private async handle(type: number, ...fields: (Buffer | number)[]): Promise<Buffer> {
    const reply = await this.ask(type, ...fields);
    if (reply.type !== 'handle') throw this.unexpected(reply);
    return reply.handle;
  }

  /** A status is the server's word; another reply than the request can have is none. */
  private unexpected(reply: Reply): Error {
    if (reply.type === 'status' && reply.code !== statusCodes.ok) return new SftpStatus(reply.code);
    return this.fail('the server answered with something else than was asked');
  }

  private ask(type: number, ...fields: (Buffer | number | bigint)[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.failure !== null) return reject(this.failure);
      this.lastId = (this.lastId + 1) >>> 0;
      if (this.waiting.size === 0) this.silentSinceMs = this.clock.monotonicMs();
      this.waiting.set(this.lastId, { resolve, reject });
      this.send(encodeRequest(type, this.lastId, ...fields));
    });
  }

  private send(request: Buffer): void {
    this.outbox.push(request);
    if (this.outbox.length > 1) return;
    queueMicrotask(() => {
      if (this.outbox.length > 0) this.transport.channel.write(Buffer.concat(this.outbox));
      this.outbox = [];
    });
  }

  private receive(piece: Buffer): void {
    if (this.failure !== null) return;
    this.silentSinceMs = this.clock.monotonicMs();
    try {
      for (const packet of this.packets.push(piece)) this.settle(parseReply(packet));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.fail(`the server sent ${error.message}`);
    }
  }

  private settle(reply: Reply): void {
    if (reply.type === 'version') {
      const greeting = this.greeting;
      this.greeting = null;
      if (greeting === null) throw new ProtocolViolation('a second greeting');
      greeting.resolve(reply);
      return;
    }
    const waiting = this.waiting.get(reply.id);
    if (waiting === undefined) throw new ProtocolViolation('a reply that nobody asked for');
    this.waiting.delete(reply.id);
    this.lastAnsweredId = Math.max(this.lastAnsweredId, reply.id);
    waiting.resolve(reply);
  }
}
