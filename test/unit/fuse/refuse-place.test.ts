import { expect, it } from 'vitest';
import { refusePlace } from '../../../src/fuse/drivers/fuse-native/refuse-place.ts';

it('a machine without a build of fuse-native is refused with the driver that works', () => {
  expect(() => refusePlace('/', 'linux-arm64')).toThrow(
    'driver fuse-native has no build for this machine (linux-arm64): use --driver kernel',
  );
});

it('a mount point on another device than its parent is refused', () => {
  expect(() => refusePlace('/proc', 'linux-x64')).toThrow(
    /cannot mount on \/proc, itself the root of a file system/,
  );
});

it('a mount point that fuse-native would cut off is refused', () => {
  expect(() => refusePlace(`/${'a'.repeat(1023)}`, 'linux-x64')).toThrow(/at most 1023 bytes/);
});
