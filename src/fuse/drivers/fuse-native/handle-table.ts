// Numbers of open files, as libfuse hands them back with each read: a number stands for one version of one file from
// open to release. 0 is never given, as fuse-native takes it for "none".
import type { NodeId } from '../../protocol/node-id.ts';

export class HandleTable {
  private readonly most: number;
  private readonly slots: (NodeId | undefined)[] = [undefined];
  private readonly free: number[] = [];
  /** Handles of each open version, by "id.version". */
  private readonly handlesOf = new Map<string, number>();

  constructor(most: number) {
    this.most = most;
  }

  /** A number for this version, or null when all are taken. Numbers that came back are given first. */
  add(node: NodeId): number | null {
    const number = this.free.pop() ?? this.slots.length;
    if (number > this.most) return null;
    this.slots[number] = node;
    const key = `${node.id}.${node.version}`;
    this.handlesOf.set(key, (this.handlesOf.get(key) ?? 0) + 1);
    return number;
  }

  /** Open handles. */
  get size(): number {
    return this.slots.length - 1 - this.free.length;
  }

  /** Whether that version is open. */
  has({ id, version }: NodeId): boolean {
    return this.handlesOf.has(`${id}.${version}`);
  }

  get(number: number): NodeId | undefined {
    return this.slots[number];
  }

  /** The version that number stood for; the number is free again. */
  remove(number: number): NodeId | undefined {
    const node = this.slots[number];
    if (node === undefined) return undefined;
    this.slots[number] = undefined;
    this.free.push(number);
    const key = `${node.id}.${node.version}`;
    const left = (this.handlesOf.get(key) ?? 1) - 1;
    if (left > 0) this.handlesOf.set(key, left);
    else this.handlesOf.delete(key);
    return node;
  }
}
