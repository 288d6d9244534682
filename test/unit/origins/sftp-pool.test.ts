// Whether a call may be made again on a new connection: only when the one it had was dead before it asked.
import { PassThrough } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { expect, test } from 'vitest';
import { SftpConnection } from '../../../src/origins/sftp-connection.ts';
import { SftpPool } from '../../../src/origins/sftp-pool.ts';
import { systemClock } from '../../../src/platform/clock.ts';

const never = new AbortController().signal;

/** A STATUS packet (type 101): success of that request. */
function okTo(id: number): Buffer {
  const packet = Buffer.alloc(21);
  packet.writeUInt32BE(17, 0);
  packet.writeUInt8(101, 4);
  packet.writeUInt32BE(id, 5);
  return packet;
}

/** A pool whose connections end in our hand. */
function scene() {
  const wire = Object.assign(new PassThrough(), { stderr: new PassThrough() });
  wire.write = () => true; // what is asked goes nowhere
  const connection = new SftpConnection(
    { channel: wire as unknown as ClientChannel, end: () => undefined },
    systemClock,
    'nas',
  );
  const pool = new SftpPool(async () => connection, systemClock);
  return { connection, pool, receive: (packet: Buffer) => wire.emit('data', packet) };
}

test('a connection that ends before it answers the call had died, whatever it still said to an earlier one', async () => {
  const { connection, pool, receive } = scene();
  const first = await pool.lease(never);
  connection.closeHandle(Buffer.from('h')); // request 1
  first.release();
  const lease = await pool.lease(never);
  const asked = connection.open(Buffer.from('/a'));
  receive(okTo(1));
  connection.end('the connection broke');
  await expect(asked).rejects.toMatchObject({ code: 'origin_unavailable' });
  expect(lease.hadDied()).toBe(true);
});

test('one that has answered the call had not died, nor had one that was made for it', async () => {
  const { connection, pool, receive } = scene();
  const made = await pool.lease(never);
  const lease = await pool.lease(never);
  const asked = connection.open(Buffer.from('/a')); // request 1
  expect(lease.hadDied()).toBe(false);
  receive(okTo(1));
  connection.end('the connection broke');
  await expect(asked).rejects.toThrow();
  expect(lease.hadDied()).toBe(false);
  expect(made.hadDied()).toBe(false);
});
