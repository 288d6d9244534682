// What `musicfs mount` has settled on: arguments, configuration and defaults, checked. Handed to the keeper.

import type { FuseSettings } from '../platform/fuse-settings.ts';

export interface MountOptions extends FuseSettings {
  /** Absolute, links resolved. */
  readonly mountPoint: string;
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly origins: readonly { readonly id: string; readonly root: string }[];
  readonly allowOther: boolean;
  /** Mounted already, by mount.fuse3: this is its descriptor. null: the keeper mounts, or the driver does. */
  readonly session: { readonly fd: number; readonly device: string } | null;
  readonly enableFailpoints: boolean;
}
