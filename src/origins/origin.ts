// What an origin is: a place where music lies. One interface for every kind, held to by one contract suite
// (test/contract/origins/origin-contract.ts) that each adapter and the in-memory fake pass.
//
// There is no call that writes, creates, deletes, renames or locks, and there never will be.
//
// What an implementer owes, whatever the kind:
// - Paths are relative to the root, bytes in latin1 (library/real-path.ts), and never leave the root: a link that leads
//   out of it, or is one at all, is listed as `link` and not followed.
// - Every call takes an AbortSignal, which ends the work, not only the wait, within a second; what a call that was
//   aborted has in its hands (sockets, handles) is given back or closed.
// - No call retries, waits for a limit or has a deadline of its own: deadlines, retries, concurrency and the circuit
//   breaker are the caller's (`origin-gate.ts`). The exceptions are the one transparent re-dial of a pooled connection
//   that had died while idle, and a mounted share's stale handle.
// - Failures are MusicfsErrors, mapped by code or status, never by message text: `not_found`, `permission_denied`,
//   `invalid_argument`, `unsupported_operation` are permanent; `origin_unavailable`, `name_resolution`,
//   `deadline_exceeded`, `stale_handle`, `origin_rate_limited` (with `retryAfterMs`) pass; `version_gone` says that the
//   file is another one now. No secret, no user name and no URL with user info is ever in a message.
// - Calls may run at the same time, as many as the caller starts. Nothing is connected before the first call.
import type { RealPath } from '../library/real-path.ts';

export const originKinds = ['local', 'nfs', 'smb', 'sftp', 's3', 'webdav'] as const;
export type OriginKind = (typeof originKinds)[number];

export interface OriginCapabilities {
  /** Any range can be read by itself. Without it a read costs the file up to its end. */
  readonly range: boolean;
  /** Entries have an etag: an opaque version, no hash. */
  readonly etag: boolean;
  /** Times are exact to the nanosecond; otherwise to the second or worse. */
  readonly mtimeNs: boolean;
  /** The time of a directory moves when a name in it comes or goes. */
  readonly dirMtime: boolean;
  readonly caseSensitive: boolean;
}

export type OriginEntryKind = 'file' | 'directory' | 'link' | 'other';

/** What a listing or a look says of one name. */
export interface OriginEntry {
  /** The last part of the path: bytes in latin1. */
  readonly name: string;
  readonly kind: OriginEntryKind;
  /** 0 unless it is a file. */
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, decimal; "0" when the origin does not say. */
  readonly mtimeNs: string;
  readonly etag: string | null;
}

/** Which content of a file is meant. An etag that is known decides; otherwise size and time do. */
export interface FileVersion {
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly etag: string | null;
}

/**
 * Which names a listing is about: what is not wanted need not be looked at. A directory is always wanted, and links are
 * by origins that can follow them, as one may lead to a directory.
 */
export type IsWanted = (name: string) => boolean;

export interface Origin {
  /** 1 to 32 of a-z, 0-9 and "-". */
  readonly id: string;
  readonly kind: OriginKind;
  /** For people: where it is, without secrets or user names ("s3 bucket music at http://nas:9000"). */
  readonly displayName: string;
  /** As far as it is known: `range` may turn false with the first answer of a server. */
  readonly capabilities: OriginCapabilities;

  /**
   * The names of one directory, in any order, in pages of at most 1,000. An error anywhere means that the whole listing
   * failed; what was given before is then worth nothing. `not_found`, `permission_denied`; an object store, which knows no
   * directories, lists a prefix that nothing has as empty.
   */
  list(directory: RealPath, isWanted: IsWanted, signal: AbortSignal): AsyncIterable<readonly OriginEntry[]>;

  /** One name. Rejects with `not_found` when there is none. */
  stat(path: RealPath, signal: AbortSignal): Promise<OriginEntry>;

  /**
   * The bytes of exactly that range of exactly that version, in order. The end is clamped to the version's size, and
   * an offset at or behind it gives nothing. The file is checked against `version` before the first byte is given and, where
   * the kind allows it, after the last: `version_gone` when it is another. Fewer bytes than the range holds are a failure
   * (`origin_unavailable`), never an end. The buffers are the receiver's. Leaving the loop early ends the transfer.
   */
  readRange(
    path: RealPath,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;

  /** The cheapest true sign of life: resolves when the origin answers and is what it was. Never wakes a disk. */
  probe(signal: AbortSignal): Promise<void>;

  /**
   * Where a link leads: a path below the root without links, null when there is no such place. Rejects like `stat`. Only
   * origins that are paths of this machine can tell.
   */
  followLink?(path: RealPath, signal: AbortSignal): Promise<RealPath | null>;

  /** What is mounted at its root, of an origin that is a path of this machine; known after a probe. */
  readonly mountIdentity?: string | null;

  /** Closes what is open, within 2 s; calls under way fail. May be called twice; nothing is called after it. */
  close(): Promise<void>;
}
