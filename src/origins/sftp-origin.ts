// A folder on an SSH server as an origin, over SFTP version 3.
//
// Links are listed as links and not followed: before anything is opened, every part of its path is looked at (lstat), all
// parts in one exchange; the root itself is followed, and must be a directory. What is opened is compared with the version
// before the first byte and after the last (fstat on the handle), times being whole seconds in this protocol.
//
// A read keeps many requests under way, so that distance costs time once: looks, open, and then the comparison together
// with the first bytes are three exchanges; two for what was seen to be a file before, which is opened while it is looked
// at. Answers that are shorter than asked are completed.
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { baseNameOf, childPath, type RealPath, realPathText, rootRealPath } from '../library/real-path.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { errnoOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { type HostKeyPolicy, HostKeys } from './host-keys.ts';
import type { FileVersion, IsWanted, Origin, OriginCapabilities, OriginEntry } from './origin.ts';
import { refuseBadPath, refuseBadRange } from './refuse-path.ts';
import { type SftpConnection, SftpStatus } from './sftp-connection.ts';
import { dialSftp, type ResolveHost } from './sftp-dial.ts';
import { type Lease, SftpPool } from './sftp-pool.ts';
import { type Attributes, type NamedAttributes, statusCodes } from './sftp-protocol.ts';
import { bytesOf, checkVersion, kindOf, mtimeNsOf, namesOf } from './sftp-transfer.ts';
import type { SshCredentials } from './ssh-credentials.ts';
import { untilAborted } from './until-aborted.ts';

export interface SftpOriginOptions {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Of the root, on the server; a relative one begins at the user's home. */
  readonly path: string;
  readonly credentials: SshCredentials;
  /** Socket of an ssh agent ($SSH_AUTH_SOCK). */
  readonly agentSocket?: string;
  readonly knownHostsFiles: readonly string[];
  readonly hostKeyPolicy: HostKeyPolicy;
  /** A folder of ours, for host keys that were accepted. */
  readonly stateDirectory: string;
  /** Addresses of a host; rejects with `name_resolution`. Without it the system is asked. */
  readonly resolve?: ResolveHost;
  readonly clock?: Clock;
  readonly idleMs?: number;
}

export class SftpOrigin implements Origin {
  readonly id: string;
  readonly kind = 'sftp';
  readonly displayName: string;
  readonly capabilities: OriginCapabilities = {
    range: true,
    etag: false,
    mtimeNs: false,
    dirMtime: true,
    caseSensitive: true,
  };
  private readonly root: Buffer;
  private readonly pool: SftpPool;
  private readonly closing = new AbortController();
  /** Paths that were files when they were last seen, the oldest first: to open them stops no server. */
  private readonly knownFiles = new Set<RealPath>();

  constructor(options: SftpOriginOptions) {
    const { id, host, port, clock = systemClock } = options;
    this.id = id;
    const shownHost = isIP(host) === 6 ? `[${host}]` : host;
    this.displayName = `sftp ${shownHost}:${port} ${options.path}`;
    const root = options.path.replace(/\/+$/, '');
    this.root = Buffer.from(root === '' ? (options.path === '' ? '.' : '/') : root);
    const dialling = {
      host,
      port,
      credentials: options.credentials,
      agentSocket: options.agentSocket,
      hostKeys: new HostKeys({
        host,
        port,
        files: options.knownHostsFiles,
        stateDirectory: options.stateDirectory,
        policy: options.hostKeyPolicy,
      }),
      resolve: options.resolve ?? systemLookup,
      clock,
      about: `sftp ${shownHost}:${port}`,
    };
    this.pool = new SftpPool((signal) => dialSftp(dialling, signal), clock, options.idleMs);
  }

  async *list(directory: RealPath, isWanted: IsWanted, caller: AbortSignal): AsyncGenerator<OriginEntry[]> {
    refuseBadPath(directory);
    const signal = this.signalOf(caller);
    const { lease, value: handle } = await this.begun(directory, signal, (connection) =>
      this.openDirectory(connection, directory, signal),
    );
    const { connection } = lease;
    try {
      const page: OriginEntry[] = [];
      for await (const names of namesOf(connection, handle, signal)) {
        page.push(...(await this.entriesOf(connection, directory, names, isWanted, signal)));
        while (page.length >= limits.listingPageEntries) yield page.splice(0, limits.listingPageEntries);
      }
      if (page.length > 0) yield page;
    } catch (error) {
      throw this.translated(error, directory);
    } finally {
      connection.closeHandle(handle);
      lease.release();
    }
  }

  async stat(path: RealPath, caller: AbortSignal): Promise<OriginEntry> {
    refuseBadPath(path);
    const signal = this.signalOf(caller);
    const { lease, value } = await this.begun(path, signal, (connection) =>
      this.look(connection, path, signal),
    );
    lease.release();
    return entryOf(baseNameOf(path), value);
  }

  async *readRange(
    path: RealPath,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
    caller: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    refuseBadPath(path);
    refuseBadRange(offset, lengthBytes);
    const signal = this.signalOf(caller);
    const end = Math.min(offset + lengthBytes, version.sizeBytes);
    if (offset >= end) return;
    const { lease, value: handle } = await this.begun(path, signal, (connection) =>
      this.openVersion(connection, path, version, signal),
    );
    const { connection } = lease;
    try {
      yield* bytesOf(connection, handle, version, offset, end, signal);
    } catch (error) {
      throw this.translated(error, path);
    } finally {
      connection.closeHandle(handle);
      lease.release();
    }
  }

  /** A look at the root, which the server has in memory as long as its disk is mounted. */
  async probe(caller: AbortSignal): Promise<void> {
    await this.stat(rootRealPath, caller);
  }

  async close(): Promise<void> {
    this.closing.abort(new MusicfsError('origin_unavailable', `${this.displayName}: closed`));
    this.pool.close();
  }

  private signalOf(caller: AbortSignal): AbortSignal {
    const signal = AbortSignal.any([caller, this.closing.signal]);
    signal.throwIfAborted();
    return signal;
  }

  /**
   * Does the first part of a call on a connection, which stays the caller's until released. Once it is done again on a new
   * one, when the connection turns out to have died before anything came of it.
   */
  private async begun<T>(
    path: RealPath,
    signal: AbortSignal,
    begin: (connection: SftpConnection) => Promise<T>,
  ): Promise<{ lease: Lease; value: T }> {
    let lease = await this.pool.lease(signal);
    try {
      return { lease, value: await begin(lease.connection) };
    } catch (error) {
      lease.release();
      if (!lease.hadDied() || signal.aborted) throw this.translated(error, path);
    }
    lease = await this.pool.leaseNew(signal);
    try {
      return { lease, value: await begin(lease.connection) };
    } catch (error) {
      lease.release();
      throw this.translated(error, path);
    }
  }

  /** What stands at a path, after every part before it was found to be a directory. */
  private async look(connection: SftpConnection, path: RealPath, signal: AbortSignal): Promise<Attributes> {
    const looks = [connection.stat(this.root)];
    for (let at = path.indexOf('/'); path !== rootRealPath; at = path.indexOf('/', at + 1)) {
      looks.push(connection.lstat(this.pathOf(at < 0 ? path : path.slice(0, at))));
      if (at < 0) break;
    }
    const [root, ...below] = await untilAborted(Promise.allSettled(looks), signal);
    let found = this.rootOf(root);
    for (const look of below) {
      if (kindOf(found) !== 'directory') throw new SftpStatus(statusCodes.noSuchFile);
      if (look.status === 'rejected') throw look.reason;
      found = look.value;
    }
    return found;
  }

  /** Without a root there is no origin: nothing may be concluded about its files. */
  private rootOf(look: PromiseSettledResult<Attributes> | undefined): Attributes {
    if (look?.status === 'fulfilled' && kindOf(look.value) === 'directory') return look.value;
    const isMissing =
      look?.status !== 'rejected' ||
      (look.reason instanceof SftpStatus && look.reason.code === statusCodes.noSuchFile);
    if (!isMissing) throw look.reason;
    throw new MusicfsError('origin_unavailable', `${this.displayName}: there is no such directory`);
  }

  private async openDirectory(
    connection: SftpConnection,
    path: RealPath,
    signal: AbortSignal,
  ): Promise<Buffer> {
    // Asked for in the same exchange as the looks: opening a directory has no effects.
    const opening = connection.openDirectory(this.pathOf(path));
    opening.catch(() => undefined);
    try {
      if (kindOf(await this.look(connection, path, signal)) !== 'directory')
        throw new SftpStatus(statusCodes.noSuchFile);
      return await untilAborted(opening, signal);
    } catch (error) {
      opening.then(
        (handle) => connection.closeHandle(handle),
        () => undefined,
      );
      throw error;
    }
  }

  /** What may be a pipe is opened only after the look: it would stop the server. */
  private async openVersion(
    connection: SftpConnection,
    path: RealPath,
    version: FileVersion,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const open = () => connection.open(this.pathOf(path));
    const early = this.knownFiles.has(path) ? open() : null;
    early?.catch(() => undefined);
    try {
      const found = await this.look(connection, path, signal);
      if (kindOf(found) === 'link') throw new SftpStatus(statusCodes.noSuchFile);
      checkVersion(found, version);
    } catch (error) {
      this.knownFiles.delete(path);
      early?.then(
        (handle) => connection.closeHandle(handle),
        () => undefined,
      );
      throw error;
    }
    this.remember(path);
    return untilAborted(early ?? open(), signal, (handle) => connection.closeHandle(handle));
  }

  private remember(path: RealPath): void {
    this.knownFiles.delete(path);
    this.knownFiles.add(path);
    if (this.knownFiles.size <= limits.sftpKnownFiles) return;
    for (const oldest of this.knownFiles) if (this.knownFiles.delete(oldest)) return;
  }

  private async entriesOf(
    connection: SftpConnection,
    directory: RealPath,
    names: readonly NamedAttributes[],
    isWanted: IsWanted,
    signal: AbortSignal,
  ): Promise<OriginEntry[]> {
    const looked = names.map(async ({ name, attributes }) => {
      // Some servers list names without saying what they are; one that has gone meanwhile is left out.
      if (attributes.mode !== null) return entryOf(name, attributes);
      const facts = await connection.lstat(this.pathOf(childPath(directory, name))).catch(nullWhenGone);
      return facts === null ? null : entryOf(name, facts);
    });
    const entries = await untilAborted(Promise.all(looked), signal);
    const wanted = entries
      .filter((entry) => entry !== null)
      .filter(({ name, kind }) => kind === 'directory' || isWanted(name));
    for (const { name, kind } of wanted) if (kind === 'file') this.remember(childPath(directory, name));
    return wanted;
  }

  private pathOf(path: string): Buffer {
    if (path === '') return this.root;
    const separator = this.root.at(-1) === slash ? '' : '/';
    return Buffer.concat([this.root, Buffer.from(separator), Buffer.from(path, 'latin1')]);
  }

  private translated(error: unknown, path: RealPath): unknown {
    if (!(error instanceof SftpStatus)) return error;
    const about = `${this.displayName}: ${realPathText(path)}`;
    switch (error.code) {
      case statusCodes.noSuchFile:
        return new MusicfsError('not_found', `${about}: no such file`);
      case statusCodes.permissionDenied:
        return new MusicfsError('permission_denied', `${about}: permission denied`);
      case statusCodes.unsupported:
        return new MusicfsError('unsupported_operation', `${about}: the server does not do that`);
      case statusCodes.badMessage: // also a name that is too long
        return new MusicfsError('invalid_argument', `${about}: the server refuses the request`);
      default:
        return new MusicfsError('origin_unavailable', `${about}: the server failed (status ${error.code})`);
    }
  }
}

const slash = 0x2f;

function nullWhenGone(error: unknown): null {
  if (error instanceof SftpStatus && error.code === statusCodes.noSuchFile) return null;
  throw error;
}

function entryOf(name: string, attributes: Attributes): OriginEntry {
  const kind = kindOf(attributes);
  const sizeBytes = kind === 'file' ? (attributes.sizeBytes ?? 0) : 0;
  return { name, kind, sizeBytes, mtimeNs: mtimeNsOf(attributes), etag: null };
}

async function systemLookup(host: string): Promise<LookupAddress[]> {
  try {
    return await lookup(host, { all: true });
  } catch (error) {
    throw new MusicfsError('name_resolution', `${host} has no address now (${errnoOf(error) ?? 'unknown'})`);
  }
}
