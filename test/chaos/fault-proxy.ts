// A TCP relay in the test's own process for faults that toxiproxy does not have. Faults hit what comes from the server;
// back-pressure is kept and half-closed connections stay so. Counters let a test assert that its fault fired.
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to the bytes of each connection. Positions count from the first byte after the fault was set, or, with
 * `inBody`, from the first byte behind the next end of an HTTP head.
 */
export type Fault = { readonly inBody?: boolean } & (
  | { readonly type: 'accept_silent' }
  /** Passes so many bytes, then nothing; the connection stays open. */
  | { readonly type: 'stall_at'; readonly bytes: number }
  /** Passes so many bytes, then ends in good order. */
  | { readonly type: 'truncate_at'; readonly bytes: number }
  /** The same, but what the client says still reaches the server. */
  | { readonly type: 'half_close'; readonly bytes: number }
  | { readonly type: 'reset_at'; readonly bytes: number }
  /** Turns a bit at an offset, and again each `every` bytes; without `bit` one that the seed chooses. */
  | { readonly type: 'bit_flip'; readonly offset: number; readonly bit?: number; readonly every?: number }
  /** Sends a part twice. */
  | { readonly type: 'duplicate'; readonly offset: number; readonly length: number }
);

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

interface Relay {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes seen since the fault was set; undefined while the head of an answer is awaited. */
  position: number | undefined;
  head: string;
  isEnded: boolean;
}

export class FaultProxy {
  /** Connections taken, bytes from and to clients, faults that were applied. */
  readonly counters = { connections: 0, bytesUp: 0, bytesDown: 0, applied: 0 };
  private readonly upstream: Upstream;
  private readonly relays = new Set<Relay>();
  private readonly clients = new Set<Socket>();
  private server: Server | undefined;
  private listeningPort = 0;
  private fault: Fault | undefined;
  /** How many more times the fault is applied. */
  private times = Number.POSITIVE_INFINITY;
  private random: number;

  private constructor(upstream: Upstream, seed: number) {
    this.upstream = upstream;
    this.random = seed >>> 0 || 1;
  }

  static async start(upstream: Upstream, seed = 1): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, seed);
    await proxy.up();
    return proxy;
  }

  get port(): number {
    return this.listeningPort;
  }

  /** Connections of clients that are open now. */
  get open(): number {
    return this.clients.size;
  }

  /** From now on; undefined ends it. Connections that it has ended or silenced stay so. */
  setFault(fault: Fault | undefined, times = Number.POSITIVE_INFINITY): void {
    this.fault = fault;
    this.times = times;
    for (const relay of this.relays) begin(relay, fault);
  }

  /** Refuses connections and resets those there are. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const client of this.clients) client.resetAndDestroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** Takes connections, on the port it had before. */
  async up(): Promise<void> {
    if (this.server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.take(client));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.listeningPort, '127.0.0.1', () => resolve());
    });
    const address = server.address();
    this.listeningPort = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Resets one connection that is open and idle as far as the proxy knows. */
  resetOne(): void {
    const [client] = this.clients;
    client?.resetAndDestroy();
  }

  private take(client: Socket): void {
    this.counters.connections += 1;
    this.clients.add(client);
    client.on('error', () => undefined);
    if (this.fault?.type === 'accept_silent') {
      this.applied();
      client.on('end', () => client.end()).on('close', () => this.clients.delete(client));
      client.resume();
      return;
    }
    const server = connect({ ...this.upstream, allowHalfOpen: true });
    server.on('error', () => undefined);
    const relay: Relay = { client, server, position: 0, head: '', isEnded: false };
    begin(relay, this.fault);
    this.relays.add(relay);
    client.on('data', (chunk: Buffer) => {
      this.counters.bytesUp += chunk.length;
      if (!server.write(chunk)) client.pause();
    });
    server.on('drain', () => client.resume());
    server.on('data', (chunk: Buffer) => this.pass(relay, chunk));
    client.on('drain', () => server.resume());
    client.on('end', () => {
      server.end();
      if (relay.isEnded) client.destroy(); // nothing more is to come for it
    });
    server.on('end', () => {
      if (!relay.isEnded) client.end();
    });
    client.on('close', () => {
      this.clients.delete(client);
      this.relays.delete(relay);
      server.destroy();
    });
    server.on('close', () => {
      if (!relay.isEnded) client.end();
    });
  }

  private pass(relay: Relay, chunk: Buffer): void {
    if (relay.isEnded) return;
    const { fault } = this;
    if (fault === undefined || this.times <= 0) return this.send(relay, chunk);
    const bodyAt = relay.position === undefined ? endOfHead(relay, chunk) : 0;
    if (relay.position === undefined && bodyAt < 0) return this.send(relay, chunk);
    if (bodyAt > 0) this.send(relay, chunk.subarray(0, bodyAt));
    const at = relay.position ?? 0;
    const bytes = chunk.subarray(bodyAt);
    relay.position = at + bytes.length;
    this.harm(relay, fault, bytes, at);
  }

  private harm(relay: Relay, fault: Fault, bytes: Buffer, at: number): void {
    switch (fault.type) {
      case 'accept_silent':
        this.applied();
        relay.isEnded = true;
        return;
      case 'stall_at':
      case 'truncate_at':
      case 'half_close':
      case 'reset_at': {
        if (at + bytes.length < fault.bytes) return this.send(relay, bytes);
        this.send(relay, bytes.subarray(0, Math.max(0, fault.bytes - at)));
        this.applied();
        relay.isEnded = true;
        return end(relay, fault.type);
      }
      case 'bit_flip':
        return this.send(relay, this.flipped(fault, bytes, at));
      case 'duplicate': {
        this.send(relay, bytes);
        const from = Math.max(fault.offset, at);
        const to = Math.min(fault.offset + fault.length, at + bytes.length);
        if (from >= to) return;
        this.applied();
        return this.send(relay, bytes.subarray(from - at, to - at));
      }
    }
  }

  private flipped(fault: Extract<Fault, { type: 'bit_flip' }>, bytes: Buffer, at: number): Buffer {
    const changed = Buffer.from(bytes);
    const every = fault.every ?? Number.POSITIVE_INFINITY;
    for (let target = fault.offset; target < at + bytes.length; target += every) {
      if (target >= at) {
        const bit = fault.bit ?? this.nextRandom() % 8;
        changed[target - at] = (changed[target - at] ?? 0) ^ (1 << bit);
        this.applied();
      }
    }
    return changed;
  }

  private send({ client, server }: Relay, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.counters.bytesDown += bytes.length;
    if (!client.write(bytes)) server.pause();
  }

  private applied(): void {
    this.counters.applied += 1;
    this.times -= 1;
  }

  private nextRandom(): number {
    this.random ^= this.random << 13;
    this.random ^= this.random >>> 17;
    this.random ^= this.random << 5;
    return this.random >>> 0;
  }
}

function begin(relay: Relay, fault: Fault | undefined): void {
  relay.position = fault?.inBody === true ? undefined : 0;
  relay.head = '';
}

/** Where the body begins in a chunk, as an offset; -1 when the head goes on. */
function endOfHead(relay: Relay, chunk: Buffer): number {
  const before = relay.head.length;
  relay.head = (relay.head + chunk.toString('latin1')).slice(-(64 * 1024 + chunk.length));
  const end = relay.head.indexOf('\r\n\r\n');
  return end < 0 ? -1 : Math.max(0, end + 4 - before);
}

function end({ client, server }: Relay, how: 'stall_at' | 'truncate_at' | 'half_close' | 'reset_at'): void {
  switch (how) {
    case 'stall_at':
      server.pause();
      return;
    case 'truncate_at':
      client.end();
      server.destroy();
      return;
    case 'half_close':
      client.end();
      return;
    case 'reset_at':
      client.resetAndDestroy();
  }
}
