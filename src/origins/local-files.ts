// A directory as an origin: its names and bytes, read through libuv's pool.
//
// Used in the daemon for disks of this machine, and in a child process (host-process.ts) for mounted shares, whose calls
// may never return. Nothing is kept open between calls, so that a disk can be unmounted and one that comes back is seen.
//
// Every path is opened below the root with openat2, and no link is followed on the way; names are bytes. A call on a file
// system cannot be called back: an aborted call rejects at once, and what it held is closed when the system answers.
//
// Never here: a write, a blocking call on this thread.
import { constants } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { baseNameOf, parentOf, type RealPath, rootRealPath } from '../library/real-path.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { fileSystemOfAsync, openBeneathAsync } from '../platform/native.ts';
import {
  checkVersion,
  closeAfter,
  closeSoon,
  entryOf,
  type Facts,
  factsOf,
  isNothing,
  kindOf,
  linkAt,
  lookAt,
  placeOf,
} from './file-facts.ts';
import { fileErrnoOf, fileFailure, orThrow } from './file-failures.ts';
import { followLink } from './follow-link.ts';
import type { FileVersion, IsWanted, Origin, OriginCapabilities, OriginEntry, OriginKind } from './origin.ts';
import { openRootAsync } from './origin-root.ts';
import { refuseBadPath, refuseBadRange } from './refuse-path.ts';
import { untilAborted } from './until-aborted.ts';
import { VersionedFile } from './versioned-file.ts';

export type MountedKind = Extract<OriginKind, 'local' | 'nfs' | 'smb'>;

export interface LocalFilesOptions {
  readonly id: string;
  /** What the directory is on: decides which errors of the system are waited out. */
  readonly kind: MountedKind;
  /** Absolute path. */
  readonly root: string;
  /**
   * What an aborted call does while the system owes it an answer: `leave` rejects at once, `wait` when the system has
   * answered, so that whoever aborts finds out whether it does.
   */
  readonly onAbort?: 'leave' | 'wait';
}

/** Asks, of a page of names that are no directories, which are wanted; the answer may come from another process. */
export type ChooseNames = (names: readonly string[]) => Promise<readonly boolean[]> | readonly boolean[];

/** A name as a listing found it in its directory. */
interface Named {
  readonly name: string;
  /** A directory, or a link that may lead to one: it is shown whatever its name. */
  readonly isAlwaysWanted: boolean;
}

/** Errors of a mounted share that pass by themselves, and the pauses before each further try. */
interface Patience {
  readonly errnos: readonly string[];
  readonly pausesMs: readonly number[];
}

const stale: Patience = { errnos: ['ESTALE'], pausesMs: limits.staleHandlePausesMs };
const patienceOf: Readonly<Record<MountedKind, Patience>> = {
  local: stale, // a disk never says so; what is mounted over the network by other means may
  nfs: stale,
  smb: { errnos: ['ENOTCONN', 'EHOSTDOWN'], pausesMs: limits.shareReconnectPausesMs },
};

const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const pathOnly = 0o10000000; // O_PATH: the same value on x64 and arm64
const directoryFlags = pathOnly | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const lookFlags = pathOnly | constants.O_NOFOLLOW;

export class LocalFilesOrigin implements Origin {
  readonly id: string;
  readonly kind: MountedKind;
  readonly displayName: string;
  readonly capabilities: OriginCapabilities;
  private readonly root: string;
  private readonly patience: Patience;
  private readonly onAbort: 'leave' | 'wait';
  private readonly closing = new AbortController();
  /** O_NOATIME needs ownership; refused once, it is not asked for again. */
  private noAtime: number = constants.O_NOATIME;

  constructor({ id, kind, root, onAbort = 'leave' }: LocalFilesOptions) {
    this.id = id;
    this.kind = kind;
    this.root = root;
    this.displayName = `${kind} ${root}`;
    this.capabilities = capabilitiesOf(kind);
    this.patience = patienceOf[kind];
    this.onAbort = onAbort;
  }

  list(directory: RealPath, isWanted: IsWanted, signal: AbortSignal): AsyncGenerator<OriginEntry[]> {
    return this.listChosen(directory, (names) => names.map(isWanted), signal);
  }

  /** As `list`, for whoever cannot say of one name after the other whether it is wanted. */
  async *listChosen(
    directory: RealPath,
    choose: ChooseNames,
    caller: AbortSignal,
  ): AsyncGenerator<OriginEntry[]> {
    refuseBadPath(directory);
    const signal = this.signalOf(caller);
    try {
      const found = await this.patiently(signal, () => this.names(directory, signal));
      for (let at = 0; at < found.length; at += limits.listingPageEntries) {
        const names = await this.wanted(found.slice(at, at + limits.listingPageEntries), choose);
        signal.throwIfAborted();
        const page = await this.patiently(signal, () => this.look(directory, names, signal));
        if (page.length > 0) yield page;
      }
    } catch (error) {
      throw fileFailure(error, this.displayName);
    }
  }

  async stat(path: RealPath, caller: AbortSignal): Promise<OriginEntry> {
    refuseBadPath(path);
    const signal = this.signalOf(caller);
    try {
      return await this.patiently(signal, async () => {
        const fd = await this.open(path, lookFlags, signal);
        return entryOf(baseNameOf(path), await this.lookedAt(fd, signal));
      });
    } catch (error) {
      throw fileFailure(error, this.displayName);
    }
  }

  async followLink(path: RealPath, caller: AbortSignal): Promise<RealPath | null> {
    refuseBadPath(path);
    const signal = this.signalOf(caller);
    const root = Buffer.from(this.root).toString('latin1');
    try {
      return await this.patiently(signal, () => followLink(path, root, (at) => this.targetAt(at, signal)));
    } catch (error) {
      throw fileFailure(error, this.displayName);
    }
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
    const file = new VersionedFile(() => this.openVersion(path, version, signal), version);
    const read = (at: number): Promise<Uint8Array> => {
      const block = this.patiently(signal, () =>
        file.read(at, Math.min(limits.originReadBlockBytes, end - at), end),
      );
      block.catch(() => undefined); // whoever waits for it is told; nobody may
      return block;
    };
    let ahead = read(offset);
    try {
      for (let at = offset; at < end; ) {
        const block = await this.until(ahead, signal);
        at += block.length;
        if (at < end) ahead = read(at);
        yield block;
      }
    } catch (error) {
      throw fileFailure(error, this.displayName);
    } finally {
      const over = ahead.catch(() => undefined).finally(() => file.close());
      if (this.onAbort === 'wait') await over;
    }
  }

  /** statfs of the root: that it answers is all that is asked; no name is looked up and no disk woken. */
  async probe(caller: AbortSignal): Promise<void> {
    const signal = this.signalOf(caller);
    try {
      const root = await this.openRoot(signal);
      const looking = fileSystemOfAsync(root);
      closeAfter(looking, root);
      const facts = await this.until(looking, signal);
      if (typeof facts === 'number') orThrow(facts, 'statfs');
    } catch (error) {
      throw fileFailure(error, this.displayName);
    }
  }

  async close(): Promise<void> {
    this.closing.abort(new MusicfsError('origin_unavailable', `${this.displayName}: closed`));
  }

  private async until<T>(work: Promise<T>, signal: AbortSignal, late?: (value: T) => void): Promise<T> {
    if (this.onAbort === 'leave') return untilAborted(work, signal, late);
    const value = await work;
    if (signal.aborted) late?.(value);
    signal.throwIfAborted();
    return value;
  }

  private signalOf(caller: AbortSignal): AbortSignal {
    const signal = AbortSignal.any([caller, this.closing.signal]);
    signal.throwIfAborted();
    return signal;
  }

  /** Runs `work` again, after a pause, while it fails with what a share gets over by itself. */
  private async patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (const pauseMs of this.patience.pausesMs) {
      try {
        return await work();
      } catch (error) {
        const errno = fileErrnoOf(error);
        if (errno === undefined || !this.patience.errnos.includes(errno)) throw error;
        await untilAborted(pause(pauseMs), signal);
      }
    }
    return work();
  }

  private async names(directory: RealPath, signal: AbortSignal): Promise<Named[]> {
    const fd = await this.open(directory, directoryFlags, signal);
    const reading = namesIn(placeOf(fd));
    closeAfter(reading, fd);
    return this.until(reading, signal);
  }

  private async wanted(page: readonly Named[], choose: ChooseNames): Promise<string[]> {
    const asked = page.filter(({ isAlwaysWanted }) => !isAlwaysWanted).map(({ name }) => name);
    const answers = await choose(asked);
    const chosen = new Set(asked.filter((_, index) => answers[index] === true));
    return page
      .filter(({ name, isAlwaysWanted }) => isAlwaysWanted || chosen.has(name))
      .map(({ name }) => name);
  }

  /** Facts of names in a directory; one that has gone meanwhile is left out. */
  private async look(
    directory: RealPath,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<OriginEntry[]> {
    const fd = await this.open(directory, directoryFlags, signal);
    const place = Buffer.from(`${placeOf(fd)}/`);
    let looking: Promise<unknown> = Promise.resolve();
    try {
      const entries: OriginEntry[] = [];
      for (let at = 0; at < names.length; at += limits.originLooksAtOnce) {
        const batch = names.slice(at, at + limits.originLooksAtOnce);
        const looks = batch.map(async (name) => ({ name, facts: await lookAt(place, name) }));
        looking = Promise.allSettled(looks);
        for (const { name, facts } of await this.until(Promise.all(looks), signal))
          if (facts !== null) entries.push(entryOf(name, facts));
      }
      return entries;
    } finally {
      closeAfter(looking, fd);
    }
  }

  /** A descriptor of that file, if it is that version. Throws `version_gone`. */
  private async openVersion(path: RealPath, version: FileVersion, signal: AbortSignal): Promise<number> {
    const fd = await this.openToRead(path, signal);
    try {
      checkVersion(await this.until(factsOf(fd), signal), version);
      return fd;
    } catch (error) {
      closeSoon(fd);
      throw error;
    }
  }

  private async openToRead(path: RealPath, signal: AbortSignal): Promise<number> {
    const flags = readFlags | this.noAtime;
    try {
      return await this.open(path, flags, signal);
    } catch (error) {
      if (fileErrnoOf(error) !== 'EPERM' || flags === readFlags) throw error;
      this.noAtime = 0;
      return this.open(path, readFlags, signal);
    }
  }

  private async open(path: RealPath, flags: number, signal: AbortSignal): Promise<number> {
    const root = await this.openRoot(signal);
    const opening = openBeneathAsync(
      root,
      Buffer.from(path === rootRealPath ? '.' : path, 'latin1'),
      flags,
      'refused',
    );
    closeAfter(opening, root);
    return orThrow(await this.until(opening, signal, closeSoon), 'openat2');
  }

  /** A root that is not there is an origin that is not there: nothing may be concluded about its files. */
  private async openRoot(signal: AbortSignal): Promise<number> {
    const opened = await this.until(openRootAsync(this.root), signal, closeSoon);
    if (opened >= 0) return opened;
    try {
      return orThrow(opened, 'open');
    } catch (error) {
      const errno = fileErrnoOf(error) ?? '';
      if (this.patience.errnos.includes(errno) || errno === 'EACCES') throw error;
      throw new MusicfsError('origin_unavailable', `${this.displayName}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** See LookAtLink. The directories above it are opened without following a link. */
  private async targetAt(path: RealPath, signal: AbortSignal): Promise<string | null | undefined> {
    let fd: number;
    try {
      fd = await this.open(parentOf(path), directoryFlags, signal);
    } catch (error) {
      if (isNothing(error)) return undefined;
      throw error;
    }
    const reading = linkAt(Buffer.from(`${placeOf(fd)}/`), baseNameOf(path));
    closeAfter(reading, fd);
    return this.until(reading, signal);
  }

  private async lookedAt(fd: number, signal: AbortSignal): Promise<Facts> {
    const looking = factsOf(fd);
    closeAfter(looking, fd);
    return this.until(looking, signal);
  }
}

async function namesIn(place: string): Promise<Named[]> {
  try {
    const found = await readdir(place, { withFileTypes: true, encoding: 'buffer' });
    return found.map((entry) => ({
      name: entry.name.toString('latin1'),
      isAlwaysWanted: entry.isDirectory() || entry.isSymbolicLink(),
    }));
  } catch (error) {
    if (fileErrnoOf(error) !== 'ENOENT') throw error;
  }
  // Where a file system does not say what its names are, Node looks at each, and fails for one that goes meanwhile: that
  // must not look as if the directory itself had gone.
  const named: Named[] = [];
  const names = (await readdir(place, { encoding: 'buffer' })).map((name) => name.toString('latin1'));
  for (let at = 0; at < names.length; at += limits.originLooksAtOnce) {
    const looks = names.slice(at, at + limits.originLooksAtOnce).map(async (name) => {
      const facts = await lookAt(Buffer.from(`${place}/`), name);
      if (facts === null) return;
      named.push({ name, isAlwaysWanted: ['directory', 'link'].includes(kindOf(facts)) });
    });
    await Promise.all(looks);
  }
  return named;
}

/** What files on such a file system have. */
export function capabilitiesOf(kind: MountedKind): OriginCapabilities {
  return { range: true, etag: false, mtimeNs: true, dirMtime: true, caseSensitive: kind !== 'smb' };
}
