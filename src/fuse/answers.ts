// What the mount answers, by node id: the interface between the tree and whoever talks to the kernel.
//
// A driver decodes, asks here, encodes. Everything is answered from the catalog's read side at once and without an
// origin; the only thing that may wait is `read`. Expected refusals are returned as error codes, never thrown.
import { Buffer } from 'node:buffer';
import type { CatalogCounters, DirectoryEntry, NodeAttributes, TreeReader } from '../catalog/tree-reader.ts';
import type { LocalReader } from '../origins/local-reader.ts';
import type { ErrorCode } from '../platform/errors.ts';

const longestNameBytes = 255;
const xattrPrefix = 'user.musicfs.';
const aclNames: ReadonlySet<string> = new Set(['system.posix_acl_access', 'system.posix_acl_default']);

export class Answers {
  private readonly tree: TreeReader;
  private readonly content: LocalReader;

  constructor(tree: TreeReader, content: LocalReader) {
    this.tree = tree;
    this.content = content;
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
    if (name === '..') return this.attributes(this.tree.parent(parentId), 0);
    if (name.includes('\uFFFD') && !Buffer.from(name).equals(nameBytes)) return 'not_found'; // no UTF-8: no name of ours
    return this.tree.lookup(parentId, name) ?? 'not_found';
  }

  /** What stat shows of a node in one content version. `not_found`. */
  attributes(id: number, version: number): NodeAttributes | ErrorCode {
    return this.tree.nodeVersion(id, version) ?? 'not_found';
  }

  parent(id: number): number {
    return this.tree.parent(id);
  }

  /** Up to `count` names of a directory after an offset, in its order. */
  page(directoryId: number, afterEntryId: number, count: number): DirectoryEntry[] {
    return this.tree.page(directoryId, afterEntryId, count);
  }

  /** Whether a node may be opened. An outdated version is `version_gone`: the kernel then looks the path up again. */
  open(id: number, version: number): ErrorCode | null {
    const node = this.tree.node(id);
    if (node === undefined || node.version !== version || node.links === 0) return 'version_gone';
    if (node.isDirectory) return 'is_a_directory';
    return null;
  }

  /** A version was opened by its first reader; see LocalReader.hold. */
  hold(id: number, version: number): void {
    this.content.hold(id, version);
  }

  /** Its last reader closed it. */
  letGo(id: number, version: number): void {
    this.content.letGo(id, version);
  }

  /** Bytes that are in memory now; see LocalReader.readNow. */
  readNow(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): number | 'wait' | ErrorCode {
    return this.content.readNow(id, version, offset, length, area);
  }

  /** Bytes that a disk must be asked for; see LocalReader.read. */
  read(
    id: number,
    version: number,
    offset: number,
    length: number,
    area: Uint8Array,
  ): Promise<number | ErrorCode> {
    return this.content.read(id, version, offset, length, area);
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
    if (!name.startsWith(xattrPrefix)) return 'no_such_attribute';
    const value = this.xattrs(id, version).get(name);
    return value === undefined ? 'no_such_attribute' : Buffer.from(value);
  }

  /** The names that `xattr` answers, each NUL-ended. */
  xattrNames(id: number, version: number): Buffer {
    return Buffer.from([...this.xattrs(id, version).keys()].map((name) => `${name}\0`).join(''));
  }

  private xattrs(id: number, version: number): Map<string, string | Buffer> {
    const values = new Map<string, string | Buffer>();
    const add = (name: string, value: string | Buffer | null) => {
      if (value !== null) values.set(`${xattrPrefix}${name}`, value);
    };
    const track = this.tree.track(id);
    add('id', String(id));
    if (track === undefined) return values;
    add('version', String(version));
    add('origin', track.originName);
    add('real_path', track.realPath);
    add('state', track.state);
    add('audio_fp', track.audioFp);
    return values;
  }
}
