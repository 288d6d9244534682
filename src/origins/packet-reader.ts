// Packets out of a stream of bytes: u32 length of what follows, big-endian, then so many bytes. Pure. For SFTP, and for the
// talk with the process of a mounted share.

/** The other side does not speak the protocol. */
export class ProtocolViolation extends Error {}

/** Cuts the stream; each packet is in memory of its own, so that parts of it may go on living. */
export class PacketReader {
  private readonly longestBytes: number;
  private readonly head = Buffer.alloc(4);
  private headBytes = 0;
  private packet: Buffer | null = null;
  private packetBytes = 0;

  constructor(longestBytes: number) {
    this.longestBytes = longestBytes;
  }

  /** The packets that are complete with this piece, without their length. Throws ProtocolViolation. */
  *push(piece: Buffer): Generator<Buffer> {
    for (let at = 0; at < piece.length; ) {
      if (this.packet === null) {
        const count = piece.copy(this.head, this.headBytes, at, at + 4 - this.headBytes);
        at += count;
        this.headBytes += count;
        if (this.headBytes < 4) return;
        const length = this.head.readUInt32BE(0);
        if (length < 5 || length > this.longestBytes)
          throw new ProtocolViolation('a packet of impossible length');
        this.packet = Buffer.allocUnsafeSlow(length);
        this.packetBytes = 0;
      }
      const count = piece.copy(this.packet, this.packetBytes, at);
      at += count;
      this.packetBytes += count;
      if (this.packetBytes < this.packet.length) return;
      const whole = this.packet;
      this.packet = null;
      this.headBytes = 0;
      yield whole;
    }
  }
}
