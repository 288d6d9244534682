// Whether an answer over HTTP really is the range of the version that was asked for, and its bytes, counted. An origin
// may lie: a page of a proxy with status 200, a body that ends early and in good order, a range of other bytes, or one
// of another version. None of it may come out as bytes. Pure but for the counting of a stream.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-14
import { MusicfsError } from '../platform/errors.ts';
import type { FileVersion } from './origin.ts';

export interface WantedRange {
  readonly version: FileVersion;
  readonly offset: number;
  /** Behind the last byte; above `offset`, not above the version's size. */
  readonly end: number;
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The value of a Range header. */
export function rangeHeader({ offset, end }: WantedRange): string {
  return `bytes=${offset}-${end - 1}`;
}

/**
 * Checks a 200 or 206. Returns how many bytes come before the wanted ones: 0 for a 206, the offset where the server gave
 * the whole file. Throws `version_gone` when it is another version, `origin_unavailable` when it is no such answer.
 */
export function bytesToSkip(head: Head, wanted: WantedRange, encodings: readonly string[] = []): number {
  const { headers, status } = head;
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (!['', 'identity', ...encodings].includes(encoding)) throw lie(`a body in encoding "${safe(encoding)}"`);
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  if (status === 206) {
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (first === undefined || last === undefined || total === undefined)
      throw lie('a 206 without its range');
    if (total !== '*' && Number(total) !== wanted.version.sizeBytes) throw gone();
    refuseOtherVersion(headers, wanted.version);
    if (Number(first) !== wanted.offset || Number(last) !== wanted.end - 1) throw lie('another range');
    if (length !== undefined && length !== wanted.end - wanted.offset)
      throw lie('a length that is not its range');
    return 0;
  }
  if (status !== 200) throw lie(`status ${status}`);
  // A page that somebody put in between is no music, and has neither etag nor time of the file.
  if (headers['content-type']?.startsWith('text/html') === true) throw lie('a page instead of a file');
  if (headers['etag'] === undefined && headers['last-modified'] === undefined)
    throw lie('a file without version');
  refuseOtherVersion(headers, wanted.version);
  if (length === undefined) throw lie('a file without length');
  if (length !== wanted.version.sizeBytes) throw gone();
  return wanted.offset;
}

/** Exactly the bytes of the range out of a body that begins `skip` bytes before. Fails when there are fewer or more. */
export async function* exactly(
  body: AsyncIterable<Uint8Array>,
  skip: number,
  lengthBytes: number,
  isRest: boolean,
): AsyncGenerator<Uint8Array> {
  let toSkip = skip;
  let left = lengthBytes;
  for await (const chunk of body) {
    const from = Math.min(toSkip, chunk.length);
    toSkip -= from;
    const rest = chunk.subarray(from);
    if (rest.length === 0) continue;
    if (rest.length > left && isRest) throw lie('more bytes than asked for');
    const part = rest.subarray(0, left);
    left -= part.length;
    if (part.length > 0) yield part;
    if (left === 0 && !isRest) return;
  }
  if (left > 0) throw lie(`an end ${left} bytes too early`);
}

/** An etag known on both sides decides; otherwise the time does, which HTTP gives to the second. */
function refuseOtherVersion(headers: Head['headers'], version: FileVersion): void {
  const etag = headers['etag'];
  if (etag !== undefined && version.etag !== null) {
    if (opaque(etag) !== opaque(version.etag)) throw gone();
    return;
  }
  const modifiedMs = Date.parse(headers['last-modified'] ?? '');
  if (Number.isNaN(modifiedMs) || version.mtimeNs === '0') return;
  if (Math.floor(modifiedMs / 1_000) !== Number(BigInt(version.mtimeNs) / 1_000_000_000n)) throw gone();
}

/** An etag without the mark of weakness: as versions of whole files weak ones are as good. */
function opaque(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}

export function isWeak(etag: string): boolean {
  return etag.startsWith('W/');
}

function safe(text: string): string {
  return text.replace(/[^a-z0-9, -]/g, '?').slice(0, 40);
}

const gone = () => new MusicfsError('version_gone', 'the file is another version now');
const lie = (what: string) => new MusicfsError('origin_unavailable', `the origin answered with ${what}`);
