// Ranges of a file of an origin as a sparse file of ours, so that a parser process can read them like any file. Bytes
// that were not asked for read as zeros; whoever parses knows which are there.
import { type FileHandle, open } from 'node:fs/promises';
import type { OriginGate } from '../origins/origin-gate.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import type { OriginCall } from './fetch-protocol.ts';

/** Rejects with what the origin says, or `unavailable` when the file of ours cannot be written. */
export async function copyRanges(
  gate: OriginGate,
  { path, version, ranges, file }: Extract<OriginCall, { what: 'copy' }>,
  signal: AbortSignal,
): Promise<void> {
  const target = await ours(() => open(file, 'a+', 0o600).then((handle) => reopened(handle, file)));
  try {
    await ours(() => target.truncate(version.sizeBytes));
    for (const { offset, lengthBytes } of ranges) {
      let at = offset;
      for await (const bytes of gate.readRange(path, version, offset, lengthBytes, 'scan', signal)) {
        const position = at;
        await ours(() => target.write(bytes, 0, bytes.length, position));
        at += bytes.length;
      }
    }
  } finally {
    await target.close();
  }
}

/** Append mode creates without cutting, but writes at the end only. */
async function reopened(handle: FileHandle, file: string): Promise<FileHandle> {
  await handle.close();
  return open(file, 'r+');
}

async function ours<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new MusicfsError('unavailable', `no room for the head of a file: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
