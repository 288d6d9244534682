// What is done with an open handle on an SFTP server: the bytes of a range of a file, the names of a directory. Many
// requests are under way at a time; what has come waits for whoever reads, and no more is asked for than that.
//
// Called by sftp-origin.ts, which opens and closes the handle. Rejects as the requests do (SftpStatus, `origin_unavailable`),
// with `version_gone`, or with the reason of the abort.
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { FileVersion, OriginEntryKind } from './origin.ts';
import type { SftpConnection } from './sftp-connection.ts';
import type { Attributes, NamedAttributes } from './sftp-protocol.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * The bytes from `offset` up to `end`, in order, of that version: compared on the handle before the first byte is given and
 * before the last.
 */
export async function* bytesOf(
  connection: SftpConnection,
  handle: Buffer,
  version: FileVersion,
  offset: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const blocks: Block[] = [];
  let next = offset;
  const before = unheard(connection.fstat(handle));
  let after: Promise<Attributes> | null = null;
  const ask = () => {
    for (; blocks.length < limits.sftpReadsAtOnce && next < end; next += limits.sftpReadBytes) {
      const lengthBytes = Math.min(limits.sftpReadBytes, end - next);
      blocks.push(new Block(connection, handle, version, next, lengthBytes));
    }
    if (next >= end) after ??= unheard(connection.fstat(handle)); // answered after the bytes, so what it says holds for them
  };
  ask();
  checkVersion(await untilAborted(before, signal), version);
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const bytes = await untilAborted(block.bytes, signal);
    if (block.hasPieces) after = null; // the rest came after that answer
    ask();
    if (blocks.length === 0 && after !== null) checkVersion(await untilAborted(after, signal), version);
    yield bytes;
  }
}

/** A part of a range that is asked for at once; the server may give it in pieces. */
class Block {
  hasPieces = false;
  readonly bytes: Promise<Uint8Array>;

  constructor(
    connection: SftpConnection,
    handle: Buffer,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
  ) {
    this.bytes = unheard(this.whole(connection, handle, version, offset, lengthBytes));
  }

  private async whole(
    connection: SftpConnection,
    handle: Buffer,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
  ): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    for (let done = 0; done < lengthBytes; ) {
      const piece = await connection.read(handle, offset + done, lengthBytes - done);
      if (piece === null) {
        checkVersion(await connection.fstat(handle), version);
        throw new MusicfsError('origin_unavailable', 'fewer bytes than the file has by its size');
      }
      pieces.push(piece);
      done += piece.length;
    }
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined) return first;
    this.hasPieces = true;
    return Buffer.concat(pieces);
  }
}

/** The names of a directory, without "." and "..", as they come. */
export async function* namesOf(
  connection: SftpConnection,
  handle: Buffer,
  signal: AbortSignal,
): AsyncGenerator<NamedAttributes[]> {
  const answers: Promise<readonly NamedAttributes[] | null>[] = [];
  let atOnce = 2; // most directories are over with the second
  for (;;) {
    while (answers.length < atOnce) answers.push(unheard(connection.names(handle)));
    const names = await untilAborted(answers.shift() ?? Promise.resolve(null), signal);
    if (names === null) return;
    yield names.filter(({ name }) => name !== '.' && name !== '..');
    atOnce = Math.min(atOnce + 1, limits.sftpListingsAhead);
  }
}

/** Throws `version_gone` when what is there is not that version, `unsupported_operation` when it is no file. */
export function checkVersion(attributes: Attributes, version: FileVersion): void {
  const kind = kindOf(attributes);
  // Attributes of an open handle may come without a mode; a path has been looked at before.
  if (attributes.mode !== null && kind !== 'file')
    throw new MusicfsError('unsupported_operation', 'that is no file');
  if (attributes.sizeBytes !== version.sizeBytes || mtimeNsOf(attributes) !== version.mtimeNs)
    throw new MusicfsError('version_gone', 'the file is another one now');
}

export function kindOf({ mode }: Attributes): OriginEntryKind {
  switch ((mode ?? 0) & 0o170_000) {
    case 0o100_000:
      return 'file';
    case 0o040_000:
      return 'directory';
    case 0o120_000:
      return 'link';
    default:
      return 'other';
  }
}

export function mtimeNsOf({ mtimeSeconds }: Attributes): string {
  return mtimeSeconds === null || mtimeSeconds === 0 ? '0' : `${mtimeSeconds}000000000`;
}

/** Somebody may wait for it later, or nobody. */
function unheard<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
