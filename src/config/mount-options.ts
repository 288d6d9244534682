// What a mount is to be: as a person gave it, and as it was settled from that, the configuration file and defaults.

import type { LibrarySettings } from '../library/library-options.ts';
import type { ScanSettings } from '../library/scan-settings.ts';
import type { ArtworkSettings } from '../platform/artwork-settings.ts';
import type { CacheSettings } from '../platform/cache-settings.ts';
import type { FuseSettings } from '../platform/fuse-settings.ts';
import type { LogLevel } from '../platform/logger.ts';
import type { OriginSettings } from '../platform/origin-settings.ts';

/** Arguments of `musicfs mount` and musicfsd, paths made absolute. What is left out comes from the file or a default. */
export interface GivenOptions {
  readonly mountPoint?: string | undefined;
  /** As after --origin; see origin-entries.ts. Paths are absolute. */
  readonly origins: readonly string[];
  readonly state?: string | undefined;
  readonly config?: string | undefined;
  readonly driver?: FuseSettings['driver'] | undefined;
  readonly allowOther?: boolean | undefined;
  readonly enableFailpoints?: boolean | undefined;
  readonly failpoints?: readonly string[] | undefined;
}

export interface MountOptions extends FuseSettings {
  /** Absolute, links resolved. */
  readonly mountPoint: string;
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly origins: readonly OriginSettings[];
  readonly cache: CacheSettings;
  readonly library: LibrarySettings;
  readonly scan: ScanSettings;
  readonly artwork: ArtworkSettings;
  readonly allowOther: boolean;
  readonly logLevel: LogLevel;
  readonly enableFailpoints: boolean;
  /** Armed at each start of the daemon. */
  readonly failpoints: readonly string[];
  /** What all this was settled from, to be settled anew when it may have changed. */
  readonly given: GivenOptions;
}
