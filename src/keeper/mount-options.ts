// What `musicfs mount` has settled on: arguments, configuration and defaults, checked. Handed to the keeper.

import type { FuseSettings } from '../platform/fuse-settings.ts';

export interface MountOptions extends FuseSettings {
  /** Absolute, links resolved. */
  readonly mountPoint: string;
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly origins: readonly { readonly id: string; readonly root: string }[];
  readonly allowOther: boolean;
  readonly enableFailpoints: boolean;
}
