// The fault proxy does what it says: each fault on a connection to a server that sends known bytes, and each answer of
// the stub resolver. A test that relies on a fault that never came would prove nothing.

import { promises as dns } from 'node:dns';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { filler } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Fault, FaultProxy } from './fault-proxy.ts';
import { StubResolver } from './stub-resolver.ts';

const headText = 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n';
const body = filler(300_000, 5);

/** A server that answers each first message with a head and a body, and says what it heard. */
async function scene() {
  const heard: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(headText);
      socket.write(body);
    });
    socket.on('data', (text: Buffer) => heard.push(text.toString()));
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port });
  onTestFinished(async () => {
    await proxy.down();
    server.close();
  });
  return { proxy, heard };
}

/** Asks once; resolves with what came and how it ended, or with what came until `enough` bytes are there. */
function ask(proxy: FaultProxy, enough = Number.POSITIVE_INFINITY) {
  return new Promise<{ got: Buffer; end: string; socket: Socket }>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
    const settle = (end: string) => resolve({ got: Buffer.concat(chunks), end, socket });
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on('connect', () => socket.write('hello'));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).length >= enough) settle('enough');
    });
    socket.on('end', () => settle('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'error'));
  });
}

const whole = Buffer.concat([Buffer.from(headText), body]);

test('without a fault everything passes, both ways, and is counted', async () => {
  const { proxy, heard } = await scene();
  const { got, socket } = await ask(proxy, whole.length);
  expect(got.equals(whole)).toBe(true);
  expect(proxy.counters).toEqual({ connections: 1, bytesUp: 5, bytesDown: whole.length, applied: 0 });
  socket.end('more'); // half closed: the server still hears it
  await eventually('the server heard all', () => heard.join('') === 'hellomore');
  await eventually('nothing is open', () => proxy.open === 0);
});

test.each([
  ['truncate_at', 'end'],
  ['half_close', 'end'],
  ['reset_at', 'ECONNRESET'],
] as const)(
  '%s passes so many bytes, of the connection or of the body, then ends by %s',
  async (type, expected) => {
    const { proxy } = await scene();
    for (const [inBody, length] of [
      [false, 1_000],
      [true, 1_000 + headText.length],
    ] as const) {
      const before = proxy.counters.applied;
      proxy.setFault({ type, bytes: 1_000, inBody });
      const { got, end } = await ask(proxy);
      expect(end).toBe(expected);
      if (type === 'reset_at')
        expect(got.length).toBeLessThanOrEqual(length); // a reset overtakes what was sent
      else expect(got.length).toBe(length);
      expect(got.equals(whole.subarray(0, got.length))).toBe(true);
      expect(proxy.counters.applied).toBe(before + 1);
    }
  },
);

test('half_close leaves the other way open, truncate_at does not', async () => {
  const { proxy, heard } = await scene();
  proxy.setFault({ type: 'half_close', bytes: 10 });
  const { socket } = await ask(proxy);
  socket.write(' again');
  await eventually('the server hears it', () => heard.join('') === 'hello again');
});

test('stall_at passes so many bytes, then nothing, on an open connection', async () => {
  const { proxy } = await scene();
  proxy.setFault({ type: 'stall_at', bytes: 1_000 });
  const { got, socket } = await ask(proxy, 1_000);
  expect(got.length).toBe(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect([socket.destroyed, socket.readableEnded, proxy.open]).toEqual([false, false, 1]);
  socket.end();
  await eventually('it is given back', () => proxy.open === 0);
});

test('accept_silent takes a connection and what is said, and answers nothing', async () => {
  const { proxy, heard } = await scene();
  proxy.setFault({ type: 'accept_silent' });
  void ask(proxy);
  await eventually('it was taken', () => proxy.counters.applied === 1);
  expect(heard).toEqual([]);
  expect(proxy.counters.bytesDown).toBe(0);
});

test('bit_flip turns the bits it names, duplicate repeats a part, and only so often', async () => {
  const { proxy } = await scene();
  const harmed = async (fault: Fault, times: number, length: number) => {
    proxy.setFault(fault, times);
    return (await ask(proxy, length)).got;
  };
  const flipped = await harmed(
    { type: 'bit_flip', offset: 100, bit: 3, every: 100_000, inBody: true },
    9,
    whole.length,
  );
  const expected = Buffer.from(whole);
  for (const at of [100, 100_100, 200_100]) {
    const place = headText.length + at;
    expected[place] = (expected[place] ?? 0) ^ 8;
  }
  expect(flipped.equals(expected)).toBe(true);
  expect(proxy.counters.applied).toBe(3);
  const doubled = await harmed({ type: 'duplicate', offset: 5, length: 10 }, 1, whole.length + 10);
  expect(doubled.length).toBe(whole.length + 10);
  expect((await harmed({ type: 'bit_flip', offset: 0 }, 0, whole.length)).equals(whole)).toBe(true);
});

test('down refuses and resets, up takes connections on the same port', async () => {
  const { proxy } = await scene();
  const { port } = proxy;
  await ask(proxy, whole.length);
  await proxy.down();
  expect((await ask(proxy)).end).toBe('ECONNREFUSED');
  await proxy.up();
  expect(proxy.port).toBe(port);
  expect((await ask(proxy, whole.length)).got.equals(whole)).toBe(true);
});

test('the stub resolver gives addresses, says that it failed or knows no such name, or is silent', async () => {
  const stub = await StubResolver.start();
  onTestFinished(() => stub.end());
  const resolver = new dns.Resolver({ timeout: 100, tries: 1 });
  resolver.setServers([stub.server]);
  const answer = (name: string) =>
    resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => error.code);
  stub.set('a.test', '192.0.2.1');
  expect(await answer('A.test')).toEqual(['192.0.2.1']);
  stub.set('a.test', 'SERVFAIL');
  expect(await answer('a.test')).toBe('ESERVFAIL');
  expect(await answer('b.test')).toBe('ENOTFOUND');
  stub.set('a.test', 'silence');
  expect(await answer('a.test')).toBe('ETIMEOUT');
  expect(stub.questions).toBeGreaterThanOrEqual(4);
});
