// What the mount answers, by node id: the interface between the tree and whoever talks to the kernel.
//
// A driver decodes, asks here, encodes. Everything is answered from the catalog's read side at once and without an
// origin; the only thing that may wait is `read`. Expected refusals are returned as error codes, never thrown.
import { Buffer } from 'node:buffer';
import { rootNodeId } from '../catalog/schema.ts';
import type { CatalogCounters, DirectoryEntry, NodeAttributes, TreeReader } from '../catalog/tree-reader.ts';
import type { ErrorCode } from '../platform/errors.ts';
import type { FileHolding } from './content.ts';
import { type SpecialFiles, specialDirectory, specialNames } from './special-files.ts';
import { ownPrefix, tagPrefix, xattrsOf } from './xattrs.ts';

const longestNameBytes = 255;
const aclNames: ReadonlySet<string> = new Set(['system.posix_acl_access', 'system.posix_acl_default']);

/** Where the bytes of files come from: fuse/content.ts, or a LocalReader where all files are read where they lie. */
export interface ReadContent {
  readNow(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): number | 'wait' | 'fetch' | ErrorCode;
  read(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): Promise<number | 'fetch' | ErrorCode>;
  fetch?(
    id: number,
    version: number,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | ErrorCode>;
  hold(id: number, version: number): void;
  letGo(id: number, version: number): void;
  gaveUp(id: number, version: number, offset: number, length: number): void;
  /** Left out where every file is read where it lies. */
  holding?(id: number, version: number): FileHolding;
}

export class Answers {
  private readonly tree: TreeReader;
  private readonly content: ReadContent;
  private readonly special: SpecialFiles;

  constructor(tree: TreeReader, content: ReadContent, special: SpecialFiles) {
    this.tree = tree;
    this.content = content;
    this.special = special;
  }

  /** What a lookup of it says is true for that lookup only: nothing of it may be cached. */
  isVolatile(id: number): boolean {
    return this.special.isSpecial(id) && id !== specialDirectory.id;
  }

  /** The entry of that name; "." (of files too) and "..", as NFS asks for them. `not_found`, `name_too_long`. */
  lookup(
    parentId: number,
    parentVersion: number,
    nameBytes: Buffer,
  ): NodeAttributes | DirectoryEntry | ErrorCode {
    if (nameBytes.length > longestNameBytes) return 'name_too_long';
    const name = nameBytes.toString('utf8');
    if (name === '.') return this.attributes(parentId, parentVersion);
    if (name === '..') return this.attributes(this.parent(parentId), 0);
    if (parentId === rootNodeId && name === specialDirectory.name)
      return this.attributes(specialDirectory.id, 0);
    if (parentId === specialDirectory.id) {
      this.tree.node(rootNodeId); // whoever asks whether we are alive means the catalog too
      return this.special.lookup(name) ?? 'not_found';
    }
    if (name.includes('\uFFFD') && !Buffer.from(name).equals(nameBytes)) return 'not_found'; // no UTF-8: no name of ours
    return this.tree.lookup(parentId, name) ?? 'not_found';
  }

  /** What stat shows of a node in one content version. `not_found`. */
  attributes(id: number, version: number): NodeAttributes | ErrorCode {
    if (id === specialDirectory.id) {
      const root = this.tree.node(rootNodeId);
      return root === undefined ? 'not_found' : this.special.directory(root);
    }
    if (this.special.isSpecial(id)) return this.special.attributes(id, version) ?? 'not_found';
    return this.tree.nodeVersion(id, version) ?? 'not_found';
  }

  parent(id: number): number {
    if (this.special.isSpecial(id)) return rootNodeId;
    return this.tree.parent(id);
  }

  /** Several questions answered from one state of the catalog. */
  inOneState<T>(work: () => T): T {
    return this.tree.inOneState(work);
  }

  /** Up to `count` names of a directory after an offset, in its order. */
  page(directoryId: number, afterEntryId: number, count: number): DirectoryEntry[] {
    if (directoryId === specialDirectory.id) return this.specialPage(afterEntryId);
    return this.tree.page(directoryId, afterEntryId, count);
  }

  /** Whether a node may be opened. An outdated version is `version_gone`: the kernel then looks the path up again. */
  open(id: number, version: number): ErrorCode | null {
    if (this.special.isSpecial(id)) {
      if (id === specialDirectory.id) return 'is_a_directory';
      return this.special.attributes(id, version) === undefined ? 'version_gone' : null;
    }
    const node = this.tree.node(id);
    if (node === undefined || node.version !== version || node.links === 0) return 'version_gone';
    if (node.isDirectory) return 'is_a_directory';
    return null;
  }

  /** A version was opened by its first reader; see LocalReader.hold. */
  hold(id: number, version: number): void {
    if (this.special.isSpecial(id)) this.special.hold(id, version);
    else this.content.hold(id, version);
  }

  /** Its last reader closed it. */
  letGo(id: number, version: number): void {
    if (this.special.isSpecial(id)) this.special.letGo(id, version);
    else this.content.letGo(id, version);
  }

  /** Bytes that are in memory now; see Content.readNow. */
  readNow(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): number | 'wait' | 'fetch' | ErrorCode {
    if (this.special.isSpecial(id))
      return this.special.read(id, version, offset, length, area) ?? 'version_gone';
    return this.content.readNow(id, version, offset, length, area);
  }

  /** Bytes that a disk must be asked for; see Content.read. */
  read(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): Promise<number | 'fetch' | ErrorCode> {
    return this.content.read(id, version, offset, length, area);
  }

  /** Bytes that an origin must be asked for; see Content.fetch. */
  fetch(
    id: number,
    version: number,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | ErrorCode> {
    return (
      this.content.fetch?.(id, version, offset, length, signal) ?? Promise.resolve('unsupported_operation')
    );
  }

  /** A read of that range took too long; see LocalReader.gaveUp. */
  gaveUp(id: number, version: number, offset: number, length: number): void {
    this.content.gaveUp(id, version, offset, length);
  }

  counters(): CatalogCounters {
    return this.tree.counters();
  }

  /** The value of an extended attribute. `no_such_attribute`, `unsupported_here` for ACLs. */
  xattr(id: number, version: number, name: string): Buffer | ErrorCode {
    if (aclNames.has(name)) return 'unsupported_here';
    if (!name.startsWith(ownPrefix) && !name.startsWith(tagPrefix)) return 'no_such_attribute';
    return this.xattrs(id, version).get(name) ?? 'no_such_attribute';
  }

  /** The names that `xattr` answers, each NUL-ended. */
  xattrNames(id: number, version: number): Buffer {
    return Buffer.from([...this.xattrs(id, version).keys()].map((name) => `${name}\0`).join(''));
  }

  private xattrs(id: number, version: number): Map<string, Buffer> {
    if (this.special.isSpecial(id)) return new Map();
    const track = this.tree.track(id) ?? null;
    const holding = track === null ? null : (this.content.holding?.(id, version) ?? null);
    return xattrsOf({ id, version, track, holding });
  }

  private specialPage(afterEntryId: number): DirectoryEntry[] {
    return specialNames.slice(afterEntryId).flatMap((name, index): DirectoryEntry[] => {
      const node = this.special.lookup(name);
      return node === undefined ? [] : [{ ...node, name, entryId: afterEntryId + index + 1 }];
    });
  }
}
