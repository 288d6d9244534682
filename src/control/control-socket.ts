// The file system side of the control socket: its folder, what an earlier life left there, its modes. The caller
// holds the daemon's lock, so whatever lies at the path belongs to nobody alive.
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, MusicfsError } from '../platform/errors.ts';
import { maxSocketPathBytes } from './limits.ts';

/**
 * Makes the way free for a bind: folder with mode 0700, no stale socket. Throws `refused` when the path is too long,
 * the folder is shared with others, or something that is no socket stands there.
 */
export async function prepareSocketPath(socketPath: string): Promise<void> {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > maxSocketPathBytes) {
    throw refused(
      `control socket ${socketPath}: ${bytes} bytes, at most ${maxSocketPathBytes} fit: choose a shorter --state or XDG_RUNTIME_DIR`,
    );
  }
  await preparePrivateFolder(path.dirname(socketPath));
  await removeStaleSocket(socketPath);
}

/** Nobody but the owner may connect. */
export async function restrictSocket(socketPath: string): Promise<void> {
  await chmod(socketPath, 0o600);
}

/** Removes the socket if it is still there; may be called twice. */
export async function removeSocket(socketPath: string): Promise<void> {
  await unlink(socketPath).catch(unlessMissing);
}

async function preparePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = await lstat(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw refused(`control socket: ${folder} is shared with other users: choose a folder of your own`);
  }
  if ((mode & 0o077) !== 0) await chmod(folder, 0o700);
}

async function removeStaleSocket(socketPath: string): Promise<void> {
  const found = await lstat(socketPath).catch(unlessMissing);
  if (found === undefined) return;
  if (!found.isSocket()) throw refused(`control socket: ${socketPath} exists and is no socket: move it away`);
  await removeSocket(socketPath);
}

function unlessMissing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

function refused(message: string): MusicfsError {
  return new MusicfsError('refused', message);
}
