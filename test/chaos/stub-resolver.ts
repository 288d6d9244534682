// A name server of the test's own: what it says of a name, and whether it says anything, is the test's choice.
// https://www.rfc-editor.org/rfc/rfc1035#section-4
import { createSocket, type Socket } from 'node:dgram';

/** An IPv4 address, or how the question ends. */
export type NameAnswer = string | 'SERVFAIL' | 'NXDOMAIN' | 'silence';

export class StubResolver {
  /** Questions for addresses (A), so far. */
  questions = 0;
  private readonly socket: Socket;
  private readonly answers = new Map<string, NameAnswer>();

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async start(): Promise<StubResolver> {
    const socket = createSocket('udp4');
    const stub = new StubResolver(socket);
    socket.on('message', (message, from) => {
      const answer = stub.answerTo(message);
      if (answer !== undefined) socket.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
    return stub;
  }

  /** As `HostResolver` takes it. */
  get server(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  set(name: string, answer: NameAnswer): void {
    this.answers.set(name.toLowerCase(), answer);
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  private answerTo(message: Buffer): Buffer | undefined {
    const labels: string[] = [];
    let at = 12;
    for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const questionEnd = at + 5;
    const isForAddress = message.readUInt16BE(at + 1) === 1;
    if (isForAddress) this.questions += 1;
    const answer = this.answers.get(labels.join('.').toLowerCase()) ?? 'NXDOMAIN';
    if (answer === 'silence') return undefined;
    const code = answer === 'SERVFAIL' ? 2 : answer === 'NXDOMAIN' ? 3 : 0;
    const record = code === 0 && isForAddress ? addressRecord(answer) : Buffer.alloc(0);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(message.readUInt16BE(0), 0);
    head.writeUInt16BE(0x8180 | code, 2); // an answer, recursion wanted and available
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(record.length > 0 ? 1 : 0, 6);
    return Buffer.concat([head, message.subarray(12, questionEnd), record]);
  }
}

function addressRecord(address: string): Buffer {
  // Name: a pointer to the question's; A, IN, 0 s to live, 4 bytes.
  const head = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
  return Buffer.concat([head, Buffer.from(address.split('.').map(Number))]);
}
