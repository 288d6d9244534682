// What driver fuse-native cannot do on this machine or at this place, said before anything is touched. Called by the
// preparation of a mount. Throws `unsupported_operation`, `invalid_argument` or `refused`, one line with the way out.
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { MusicfsError } from '../../../platform/errors.ts';
import { checkDevice } from '../../mount.ts';

/** fuse-native keeps the mount point in 1,024 bytes, its end included. */
const longestMountPointBytes = 1023;

export function refusePlace(mountPoint: string, machine = `${process.platform}-${process.arch}`): void {
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    manifest = require.resolve('fuse-native/package.json');
  } catch (error) {
    throw new MusicfsError(
      'unsupported_operation',
      'driver fuse-native is not installed: npm install fuse-native, or use --driver kernel',
      { cause: error },
    );
  }
  if (!existsSync(path.join(path.dirname(manifest), 'prebuilds', machine))) {
    throw new MusicfsError(
      'unsupported_operation',
      `driver fuse-native has no build for this machine (${machine}): use --driver kernel`,
    );
  }
  checkDevice();
  if (Buffer.byteLength(mountPoint) > longestMountPointBytes) {
    throw new MusicfsError(
      'invalid_argument',
      `driver fuse-native takes mount points of at most ${longestMountPointBytes} bytes: use --driver kernel`,
    );
  }
  if (statSync(mountPoint).dev !== statSync(path.dirname(mountPoint)).dev) {
    throw new MusicfsError(
      'invalid_argument',
      `driver fuse-native cannot mount on ${mountPoint}, itself the root of a file system: name a directory inside it, or use --driver kernel`,
    );
  }
}
