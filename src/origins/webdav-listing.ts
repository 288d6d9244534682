// What a WebDAV server says of a directory: the answer to PROPFIND as entries, and paths as they stand in URLs. Pure.
//
// A multistatus is one <response> per resource, with its <href> and a <propstat> for each status; of interest are those
// with status 200. Document types are refused, so there are no entities but XML's own.
// https://www.rfc-editor.org/rfc/rfc4918#section-9.1
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { RealPath } from '../library/real-path.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { OriginEntry } from './origin.ts';

export const propertiesWanted = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:getetag/></D:prop></D:propfind>`;

export interface Listing {
  /** The resource that was asked about. */
  readonly self: OriginEntry | undefined;
  readonly entries: readonly OriginEntry[];
}

const listed = new Set(['response', 'propstat']);

const parser = new XMLParser({
  removeNSPrefix: true,
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: true,
  processEntities: true,
  htmlEntities: true, // numbered ones are among them
  isArray: (name) => listed.has(name),
});

/** A path below the root as it stands in a URL: every byte of a name that is not plainly harmless as %XX. */
export function encodedPath(path: RealPath): string {
  return path.replace(
    /[^A-Za-z0-9\-._~/]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/**
 * Entries of a multistatus about `path` (decoded, with the root of the origin before it, no "/" at its end). Throws
 * `origin_unavailable` when the text is none.
 */
export function listingOf(text: string, path: string): Listing {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw noListing();
  const root = parsed(text);
  const multistatus = objectOf(root['multistatus']);
  if (multistatus === undefined) throw noListing();
  let self: OriginEntry | undefined;
  const entries: OriginEntry[] = [];
  for (const response of arrayOf(multistatus['response'])) {
    const href = response['href'];
    if (typeof href !== 'string') throw noListing();
    const found = decodedHref(href);
    if (found === path) self ??= entryOf(path.slice(path.lastIndexOf('/') + 1), response);
    else if (found?.startsWith(`${path}/`) === true) {
      const name = found.slice(path.length + 1);
      const entry = isName(name) ? entryOf(name, response) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
  }
  return { self, entries };
}

function parsed(text: string): Record<string, unknown> {
  // Something like HTML parses as well; what is broken must not come out as a shorter listing.
  if (XMLValidator.validate(text) !== true) throw noListing();
  try {
    return objectOf(parser.parse(text)) ?? {};
  } catch {
    throw noListing();
  }
}

/** The path of an href as bytes in latin1, without "/" at its end; undefined when it is no path. */
function decodedHref(href: string): string | undefined {
  const path = href.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  if (!path.startsWith('/')) return undefined;
  const bytes = Buffer.from(path).toString('latin1'); // some servers leave letters as they are
  const segments = bytes
    .split('/')
    .map((segment) =>
      segment.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
  // A "/" that was encoded belongs to no name on any file system.
  if (segments.some((segment) => segment.includes('/'))) return undefined;
  return segments.join('/').replace(/\/+$/, '');
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

function entryOf(name: string, response: Record<string, unknown>): OriginEntry | undefined {
  const good = arrayOf(response['propstat']).find((part) => / 200( |$)/.test(String(part['status'])));
  const properties = objectOf(good?.['prop']);
  if (properties === undefined) {
    // Gone while it was listed, or there and not to be looked at: only the first may be left out.
    if (/ 404( |$)/.test(textOf(response['status']))) return undefined;
    return { name, kind: 'other', sizeBytes: 0, mtimeNs: '0', etag: null };
  }
  const isDirectory = objectOf(properties['resourcetype'])?.['collection'] !== undefined;
  const modifiedMs = Date.parse(textOf(properties['getlastmodified']));
  const mtimeNs = Number.isNaN(modifiedMs)
    ? '0'
    : String(BigInt(Math.floor(modifiedMs / 1_000)) * 1_000_000_000n);
  if (isDirectory) return { name, kind: 'directory', sizeBytes: 0, mtimeNs, etag: null };
  const size = textOf(properties['getcontentlength']);
  const sizeBytes = Number(size);
  // A file of unknown size cannot be served: the server makes it up on each request.
  if (!/^\d+$/.test(size) || !Number.isSafeInteger(sizeBytes))
    return { name, kind: 'other', sizeBytes: 0, mtimeNs, etag: null };
  const etag = textOf(properties['getetag']);
  return { name, kind: 'file', sizeBytes, mtimeNs, etag: etag === '' ? null : etag };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function arrayOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(objectOf).filter((item) => item !== undefined) : [];
}

const noListing = () =>
  new MusicfsError('origin_unavailable', 'the origin answered with something that is no listing');
