// Which nodes the kernel has open, how often, and who reads them: the daemon, or the kernel itself (passthrough).
//
// The kernel demands that all open handles of a node are of one kind, and of one backing id (it fails the open with EIO
// otherwise), so what was decided for the first handle holds until the last one is closed. A thread that takes a session
// over must know it too: everything is kept in the session's memory (session-memory.ts).
//
// From `openNodesAt` on the file is an array of slots of 16 bytes, one for each open node:
//   node id u64@0 (as the kernel has it), handles u32@8 (0: free), backing id u32@12 (0: read by the daemon)
// A slot is written before an open is answered and after a release is, and freed before its backing id is closed: a life
// that dies in between counts a handle too much (its node stays as it is until the kernel forgets it), never too few.
import { fstatSync, readSync, writeSync } from 'node:fs';
import { highHalf, lowHalf, type NodeId, nodeIdFrom } from '../../protocol/node-id.ts';
import { newestBackingAt, openNodesAt } from '../../session-memory.ts';

interface OpenNode {
  readonly node: NodeId;
  readonly slot: number;
  readonly backingId: number;
  /** Handles opened in this life, and those that were open when it began. */
  own: number;
  inherited: number;
}

const slotBytes = 16;
/** More than any number of deaths in a row loses. */
const mostLost = 64;
/** Read by the daemon. */
export const noBacking = 0;

export class OpenNodes {
  private readonly fd: number;
  private readonly nodes = new Map<string, OpenNode>();
  private readonly freeSlots: number[] = [];
  private readonly record = Buffer.alloc(slotBytes);
  private slots: number;
  /** Open handles of all nodes. */
  handles = 0;
  /** The newest backing id that was written down; the kernel counts them upwards. */
  private newestBacking: number;

  /** `fd`: the session's memory; it stays the caller's. */
  constructor(fd: number) {
    this.fd = fd;
    readSync(fd, this.record, 0, 4, newestBackingAt);
    this.newestBacking = fstatSync(fd).size === 0 ? 0 : this.record.readUInt32LE(0);
    this.slots = Math.max(0, Math.floor((fstatSync(fd).size - openNodesAt) / slotBytes));
    for (let slot = 0; slot < this.slots; slot += 1) {
      readSync(fd, this.record, 0, slotBytes, openNodesAt + slot * slotBytes);
      const inherited = this.record.readUInt32LE(8);
      if (inherited === 0) {
        this.freeSlots.push(slot);
        continue;
      }
      const node = nodeIdFrom(this.record.readUInt32LE(0), this.record.readUInt32LE(4));
      const backingId = this.record.readUInt32LE(12);
      this.nodes.set(keyOf(node), { node, slot, backingId, own: 0, inherited });
      this.handles += inherited;
    }
  }

  /**
   * Backing ids between the newest that was written down and this one, which the kernel has just given: lives that died
   * in between had them, and nobody else will ever close them.
   */
  lostBefore(backingId: number): number[] {
    const first = this.newestBacking + 1;
    const count = Math.max(0, Math.min(backingId - first, mostLost));
    return Array.from({ length: count }, (_, index) => first + index);
  }

  /** The backing id that further handles of an open node must have; undefined when it is not open. */
  backingIdOf(node: NodeId): number | undefined {
    return this.nodes.get(keyOf(node))?.backingId;
  }

  /** One more handle. Written down when this returns. */
  opened(node: NodeId, backingId: number): void {
    let open = this.nodes.get(keyOf(node));
    if (open === undefined) {
      const slot = this.freeSlots.pop() ?? this.slots++;
      open = { node, slot, backingId, own: 0, inherited: 0 };
      this.nodes.set(keyOf(node), open);
    }
    if (backingId > this.newestBacking) {
      this.newestBacking = backingId;
      this.record.writeUInt32LE(backingId, 0);
      writeSync(this.fd, this.record, 0, 4, newestBackingAt);
    }
    open.own += 1;
    this.handles += 1;
    this.write(open);
  }

  /** One handle less. Returns the node's backing id when it was the last (0: read by the daemon), otherwise undefined. */
  released(node: NodeId): number | undefined {
    const open = this.nodes.get(keyOf(node));
    if (open === undefined) return noBacking; // opened before anything was written down
    if (open.own > 0) open.own -= 1;
    else open.inherited -= 1;
    this.handles -= 1;
    this.write(open);
    return open.own + open.inherited > 0 ? undefined : this.remove(open);
  }

  /** The kernel let the node go: handles of an earlier life that were never seen closed are not open either. */
  forgotten(node: NodeId): number | undefined {
    const open = this.nodes.get(keyOf(node));
    if (open === undefined || open.own > 0) return undefined;
    this.handles -= open.inherited;
    open.inherited = 0;
    this.write(open);
    return this.remove(open);
  }

  private remove(open: OpenNode): number {
    this.nodes.delete(keyOf(open.node));
    this.freeSlots.push(open.slot);
    return open.backingId;
  }

  private write({ node, slot, own, inherited, backingId }: OpenNode): void {
    this.record.writeUInt32LE(lowHalf(node), 0);
    this.record.writeUInt32LE(highHalf(node), 4);
    this.record.writeUInt32LE(own + inherited, 8);
    this.record.writeUInt32LE(backingId, 12);
    writeSync(this.fd, this.record, 0, slotBytes, openNodesAt + slot * slotBytes);
  }
}

function keyOf({ id, version }: NodeId): string {
  return `${id}.${version}`;
}
