// INIT: what the kernel offers → what we settle on. Pure.
//
// The kernel asks once a mount; a later process adopts the answer from the session record. Every capability is taken
// only when offered, so an old kernel gets a plainer mount, never a broken one. Deliberately never taken:
//   READDIRPLUS_AUTO    would fall back to plain listings and a LOOKUP for each name
//   AUTO_INVAL_DATA     a content version is a node of its own, so cached pages never go stale
//   WRITEBACK_CACHE     excludes passthrough, and nothing is written
//   REQUEST_TIMEOUT     aborts the whole connection when a restart takes long
import { limits } from '../../platform/limits.ts';
import type { KernelInit, RequestHeader } from './decode-request.ts';
import { initFlag, initFlag2, structSize } from './opcodes.ts';

/** What both sides agreed on: plain data, part of the session record. */
export interface Negotiated {
  /** Protocol minor both speak. */
  readonly minor: number;
  readonly flags: number;
  readonly flags2: number;
  readonly maxReadahead: number;
  readonly maxPages: number;
  /** Lost requests can be asked for again (Linux 6.9). */
  readonly hasResend: boolean;
  /** The kernel can read an origin's file itself (Linux 6.9, CONFIG_FUSE_PASSTHROUGH). */
  readonly hasPassthrough: boolean;
  /** OPENDIR may be refused for good, whereupon every listing is cached. */
  readonly hasNoOpendir: boolean;
}

export type InitOutcome =
  | { readonly type: 'agreed'; readonly negotiated: Negotiated }
  /** The kernel speaks a later major: it is told ours and asks again. */
  | { readonly type: 'ask-again' }
  /** Before 7.12 (Linux 2.6.31): too old to serve. */
  | { readonly type: 'too-old' };

const ourMinor = 45;
const oldestMinor = 12;
const pageBytes = 4096;
/** Kernels before 7.28 know no max_pages: 32 pages. */
const defaultMaxPages = 32;

const wanted =
  initFlag.asyncRead |
  initFlag.exportSupport |
  initFlag.doReaddirplus |
  initFlag.asyncDio |
  initFlag.parallelDirops |
  initFlag.abortError |
  initFlag.maxPages |
  initFlag.cacheSymlinks |
  initFlag.noOpendirSupport |
  initFlag.explicitInvalData |
  initFlag.initExt;

/** `passthrough`: whether the kernel may be let read files itself, if it can. */
export function negotiate(offered: KernelInit, passthrough: boolean): InitOutcome {
  if (offered.major > 7) return { type: 'ask-again' };
  if (offered.major < 7 || offered.minor < oldestMinor) return { type: 'too-old' };
  const flags = offered.flags & wanted;
  const flags2 =
    (flags & initFlag.initExt) === 0
      ? 0
      : offered.flags2 & (initFlag2.hasResend | (passthrough ? initFlag2.passthrough : 0));
  return {
    type: 'agreed',
    negotiated: {
      minor: Math.min(ourMinor, offered.minor),
      flags,
      flags2,
      maxReadahead: Math.max(offered.maxReadahead, limits.readRequestBytes),
      maxPages: (flags & initFlag.maxPages) === 0 ? defaultMaxPages : limits.readRequestBytes / pageBytes,
      hasResend: (flags2 & initFlag2.hasResend) !== 0,
      hasPassthrough: (flags2 & initFlag2.passthrough) !== 0,
      hasNoOpendir: (flags & initFlag.noOpendirSupport) !== 0,
    },
  };
}

/** The answer's bytes: 64 of body since protocol 7.23, 24 before; 8 when only the major is told. */
export function encodeInit(
  out: Buffer,
  { uniqueLow, uniqueHigh }: Pick<RequestHeader, 'uniqueLow' | 'uniqueHigh'>,
  outcome: Exclude<InitOutcome, { type: 'too-old' }>,
): number {
  const body = structSize.outHeader;
  out.fill(0, 0, body + structSize.initOut);
  out.writeUInt32LE(uniqueLow, 8);
  out.writeUInt32LE(uniqueHigh, 12);
  out.writeUInt32LE(7, body);
  let length = body + structSize.initOut;
  if (outcome.type === 'agreed') {
    const { negotiated } = outcome;
    out.writeUInt32LE(negotiated.minor, body + 4);
    out.writeUInt32LE(negotiated.maxReadahead, body + 8);
    out.writeUInt32LE(negotiated.flags >>> 0, body + 12);
    out.writeUInt16LE(limits.maxBackground, body + 16);
    out.writeUInt16LE(limits.congestionThreshold, body + 18);
    out.writeUInt32LE(pageBytes, body + 20); // max_write: nothing is written
    out.writeUInt32LE(1, body + 24); // time granularity in ns
    out.writeUInt16LE(negotiated.maxPages, body + 28);
    out.writeUInt32LE(negotiated.flags2 >>> 0, body + 32);
    // Backing files may not lie on stacked file systems themselves; 0 would switch passthrough off.
    out.writeUInt32LE(negotiated.hasPassthrough ? 1 : 0, body + 36);
    if (negotiated.minor < 23) length = body + 24;
  } else {
    out.writeUInt32LE(ourMinor, body + 4);
    length = body + 8;
  }
  out.writeUInt32LE(length, 0);
  return length;
}
