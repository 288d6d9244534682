// What the catalog knows of a file's content, held against what a listing shows of it. Pure.
import type { SeenFile } from './publication.ts';
import type { Instant } from './tree-writer.ts';

export interface KnownContent {
  readonly size: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly etag: string | null;
}

/** Whether a listing shows other content than is known: by the origin's own word for it, or else by size and time. */
export function isChanged(known: KnownContent, file: SeenFile): boolean {
  if (known.etag !== null && typeof file.etag === 'string') {
    return known.etag !== file.etag || known.size !== file.sizeBytes;
  }
  const mtime = instantOf(file.mtimeNs);
  return (
    known.size !== file.sizeBytes || known.mtimeS !== mtime.seconds || known.mtimeNs !== mtime.nanoseconds
  );
}

/** Splits decimal nanoseconds since 1970 (before it: negative) into seconds and 0 … 999,999,999 nanoseconds. */
export function instantOf(nanoseconds: string): Instant {
  const total = BigInt(nanoseconds);
  const billion = 1_000_000_000n;
  const rest = ((total % billion) + billion) % billion;
  return { seconds: Number((total - rest) / billion), nanoseconds: Number(rest) };
}
