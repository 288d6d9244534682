// How the daemon and its processes for pictures cut what they say into packets. Pure.
//
//   packet of a process: u32 length of what follows, big-endian, u8 type, body. Type 0, without a body, is the greeting: the
//   first of all, said when the process is ready. The other types belong to each process's own protocol.

/** The process does not speak the protocol. The message completes "it sent …". */
export class PacketViolation extends Error {}

/** A whole packet, with its length. */
export function packetOf(type: number, ...body: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(
    body.reduce((bytes, part) => bytes + part.length, 1),
    0,
  );
  head.writeUInt8(type, 4);
  return Buffer.concat([head, ...body]);
}

export const greeting = packetOf(0);

/** Of a packet without its length. */
export function isGreeting(packet: Uint8Array): boolean {
  return packet.length === 1 && packet[0] === 0;
}
