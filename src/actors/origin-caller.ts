// How a lane reaches its origin: directly, when it is a directory that is read where it lies, or through the fetch thread.

import type { RealPath } from '../library/real-path.ts';
import {
  fileOf,
  type LocalOrigin,
  listingOf,
  type OriginFile,
  type OriginListing,
} from '../origins/local-origin.ts';
import type { IsWanted } from '../origins/origin.ts';
import type { OriginSettings } from '../platform/origin-settings.ts';
import type { HeldRange } from '../tags/bounded-reader.ts';
import { askFetcher } from './fetcher.ts';

/** Mount points that belong to an origin: those that are missing, and all that are there. */
export interface OriginMounts {
  readonly missing: readonly string[];
  readonly mounted: readonly string[];
}

export interface OriginCaller {
  list(directory: RealPath, signal: AbortSignal): Promise<OriginListing>;
  stat(path: RealPath, signal: AbortSignal): Promise<OriginFile | null>;
  /** See LocalOrigin.read. */
  read(file: OriginFile, mostBytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** See Origin.followLink. */
  followLink(path: RealPath, signal: AbortSignal): Promise<RealPath | null>;
  /** Rejects when the origin is not there. `known`: see LocalOrigin.probe. */
  probe(known: readonly string[] | null, signal: AbortSignal): Promise<OriginMounts>;
  /** Puts ranges of a file into a file of ours; see fetch/copy-ranges.ts. null: its files are read where they lie. */
  readonly copy:
    | ((file: OriginFile, ranges: readonly HeldRange[], target: string, signal: AbortSignal) => Promise<void>)
    | null;
}

export function callDirectly(origin: LocalOrigin, isWanted: IsWanted): OriginCaller {
  return {
    list: (directory, signal) => origin.list(directory, isWanted, signal),
    stat: (path) => origin.stat(path),
    read: (file, mostBytes, signal) => origin.read(file, mostBytes, signal),
    followLink: (path, signal) => origin.followLink(path, signal),
    async probe(known) {
      return { missing: await origin.probe(known), mounted: await origin.mountPoints() };
    },
    copy: null,
  };
}

export function callThroughFetcher({ id: originId }: OriginSettings): OriginCaller {
  return {
    async list(directory, signal) {
      const { entries } = await askFetcher(
        { what: 'list', originId, directory },
        { timeoutMs: callMs, signal },
      );
      return listingOf(directory, entries);
    },
    async stat(path, signal) {
      const { entry } = await askFetcher({ what: 'stat', originId, path }, { timeoutMs: callMs, signal });
      return entry === null || entry.kind !== 'file' ? null : fileOf(path, entry);
    },
    async read({ path, sizeBytes, mtimeNs, etag = null }, mostBytes, signal) {
      const { bytes } = await askFetcher(
        { what: 'read', originId, path, version: { sizeBytes, mtimeNs, etag }, mostBytes },
        { timeoutMs: callMs, signal },
      );
      return bytes;
    },
    async followLink(path, signal) {
      const { place } = await askFetcher({ what: 'follow', originId, path }, { timeoutMs: callMs, signal });
      return place;
    },
    async probe(_known, signal) {
      const { identity } = await askFetcher({ what: 'probe', originId }, { timeoutMs: callMs, signal });
      // Recorded at the end of a scan, and held against what is there when the origin is next made.
      return { missing: [], mounted: identity === null ? [] : [identity] };
    },
    async copy({ path, sizeBytes, mtimeNs, etag = null }, ranges, file, signal) {
      await askFetcher(
        { what: 'copy', originId, path, version: { sizeBytes, mtimeNs, etag }, ranges, file },
        { timeoutMs: callMs, signal },
      );
    },
  };
}

/** Longer than any deadline in the fetch thread. */
const callMs = 120_000;
