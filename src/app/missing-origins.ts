// Part of a first start: an origin that is not there.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { MusicfsError } from '../platform/errors.ts';
import type { DaemonOptions } from './daemon-options.ts';

/** A missing origin is an outage when its files are known, and a mistake when they are not. */
export async function refuseUnknownMissingOrigins(options: DaemonOptions): Promise<void> {
  const { stateDirectory } = options;
  // A look at a share might never return: its health is found out from another process.
  const origins = options.origins.filter(({ kind }) => kind === 'local');
  const file = origins.find(({ root }) => statSync(root, { throwIfNoEntry: false })?.isDirectory() === false);
  if (file !== undefined)
    throw new MusicfsError('refused', `origin ${file.root} is a file: name the directory with the music`);
  const missing = origins.find(({ root }) => !existsSync(root));
  if (missing === undefined) return;
  // Loaded only here: SQLite belongs to the threads.
  const { isOriginKnown } = await import('../catalog/open-catalog.ts');
  if (isOriginKnown(path.join(stateDirectory, 'catalog.db'), missing.id)) return;
  throw new MusicfsError(
    'refused',
    `origin ${missing.root} does not exist, and nothing of it is known from before: is the path right, the disk mounted?`,
  );
}
