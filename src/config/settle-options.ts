// From what a person gave to what a mount shall be. Used by `musicfs mount`, by the daemon under a service manager, and
// by a running daemon that is told to look at its configuration again.

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { defaultCache } from '../platform/cache-settings.ts';
import { MusicfsError } from '../platform/errors.ts';
import { parseFailpoint } from '../platform/failpoints.ts';
import { defaultOwnership, type OwnershipSettings } from '../platform/fuse-settings.ts';
import { type PathEnvironment, socketPathFor, stateDirectoryFor } from '../platform/instance-paths.ts';
import { type Mount, readMounts, resolveMountPoint } from '../platform/mount-table.ts';
import { networkKindOf, networkMountOf } from '../platform/network-file-system.ts';
import { isMounted, type MountedSettings, type OriginSettings } from '../platform/origin-settings.ts';
import { artworkSettingsOf } from './artwork-entry.ts';
import type { ConfigFile } from './config-file.ts';
import { librarySettingsOf, scanSettingsOf } from './library-entry.ts';
import type { GivenOptions, MountOptions } from './mount-options.ts';
import { type OriginConfig, parseOriginArgument, settingsOf } from './origin-entries.ts';

export interface SettleContext {
  readonly env: PathEnvironment;
  readonly uid: number;
  /** Origins that were settled before: the disk is not asked again where their links lead. */
  readonly known?: readonly OriginSettings[];
  /** What is mounted; the kernel's table when not given. */
  readonly mounts?: readonly Mount[];
}

/** Throws `invalid_argument` or `config_invalid`, one line that says what to do. */
export async function settleOptions(
  given: GivenOptions,
  { env, uid, known = [], mounts = readMounts() }: SettleContext,
): Promise<MountOptions> {
  const config: ConfigFile =
    given.config === undefined ? {} : (await import('./config-file.ts')).readConfigFile(given.config);
  const point = given.mountPoint ?? config.mount?.point;
  if (point === undefined) {
    throw new MusicfsError(
      'invalid_argument',
      'a mount point is needed: musicfs mount MOUNTPOINT --origin PATH',
    );
  }
  const failpoints = given.failpoints ?? [];
  for (const setting of failpoints) parseFailpoint(setting);
  const mountPoint = resolveMountPoint(point);
  const state = given.state ?? config.state?.dir;
  const stateDirectory = state === undefined ? stateDirectoryFor(mountPoint, env, uid) : path.resolve(state);
  return {
    mountPoint,
    stateDirectory,
    socketPath: socketPathFor(mountPoint, stateDirectory, env, uid),
    origins: originsFrom(given.origins, config, { mountPoint, known, mounts }),
    cache: {
      enabled: config.cache?.enabled ?? defaultCache.enabled,
      contentMaxBytes: config.cache?.content_max ?? defaultCache.contentMaxBytes,
      // Who names a size means that size.
      ...(config.cache?.min_free === undefined
        ? { minFreeBytes: defaultCache.minFreeBytes, minFreeShare: defaultCache.minFreeShare }
        : { minFreeBytes: config.cache.min_free, minFreeShare: 0 }),
    },
    library: librarySettingsOf(config.library),
    scan: scanSettingsOf(config.library),
    artwork: artworkSettingsOf(config.artwork),
    driver: given.driver ?? config.fuse?.driver ?? 'kernel',
    passthrough: config.fuse?.passthrough ?? 'auto',
    ownership: ownershipFrom(config, uid),
    allowOther: given.allowOther ?? config.mount?.allow_other ?? false,
    logLevel: config.log?.level ?? 'info',
    enableFailpoints: given.enableFailpoints ?? failpoints.length > 0,
    failpoints,
    given,
  };
}

/** Throws `config_invalid` where the daemon itself could not look into what it shows: it looks, to see that it is served. */
function ownershipFrom({ fuse = {} }: ConfigFile, ownUid: number): OwnershipSettings {
  const { uid, gid, filePermissions, directoryPermissions } = defaultOwnership;
  const ownership = {
    uid: fuse.uid ?? uid,
    gid: fuse.gid ?? gid,
    filePermissions: fuse.file_mode ?? filePermissions,
    directoryPermissions: fuse.dir_mode ?? directoryPermissions,
  };
  const isOwn = ownership.uid === null || ownership.uid === ownUid;
  const needed = isOwn ? 0o500 : 0o005;
  if (ownUid !== 0 && (ownership.directoryPermissions & needed) !== needed)
    throw new MusicfsError(
      'config_invalid',
      `fuse.dir_mode: uid ${ownUid}, who mounts, could not look into the mount; it needs ${isOwn ? '"0500"' : '"0005"'} at least`,
    );
  return ownership;
}

interface Surroundings {
  readonly mountPoint: string;
  readonly known: readonly OriginSettings[];
  readonly mounts: readonly Mount[];
}

/** Gives each origin an id: its own, or its kind: local, local-2, … */
function originsFrom(given: readonly string[], config: ConfigFile, around: Surroundings): OriginSettings[] {
  const entries: readonly OriginConfig[] =
    given.length === 0 ? (config.origins ?? []) : given.map(parseOriginArgument);
  if (entries.length === 0) {
    throw new MusicfsError('invalid_argument', 'an origin is needed: --origin PATH, a directory with music');
  }
  const origins: OriginSettings[] = [];
  for (const entry of entries) {
    const taken = origins.map((origin) => origin.id);
    const names = [entry.kind, ...entries.map((_, index) => `${entry.kind}-${index + 2}`)];
    const free = entry.id ?? names.find((name) => !taken.includes(name));
    if (free === undefined || taken.includes(free)) {
      throw new MusicfsError('config_invalid', `two origins have the id ${free}: give each its own`);
    }
    const origin = settingsOf(entry, free);
    origins.push(isMounted(origin) ? resolved(origin, origins, around) : origin);
  }
  return origins;
}

function resolved(
  origin: MountedSettings,
  others: readonly OriginSettings[],
  { mountPoint, known, mounts }: Surroundings,
): MountedSettings {
  const asGiven = origin.root;
  const share = origin.kind === 'local' ? networkMountOf(asGiven, mounts) : null;
  // A share that is named as a directory is treated as the share it is.
  const kind = (share && networkKindOf(share.fsType)) ?? origin.kind;
  // One below the mount point is refused later; a look at it, or at a share, now might never return.
  const isSettled =
    kind !== 'local' ||
    share !== null ||
    isWithin(asGiven, mountPoint) ||
    known.some(({ root }) => root === asGiven);
  const root = isSettled ? asGiven : realOrAsGiven(asGiven);
  const overlap = others
    .filter(isMounted)
    .find((other) => isWithin(root, other.root) || isWithin(other.root, root));
  if (overlap !== undefined) {
    throw new MusicfsError(
      'config_invalid',
      `origins ${overlap.root} and ${root} overlap: each track would be shown twice; name the outer one only`,
    );
  }
  return { ...origin, kind, root };
}

function isWithin(inner: string, outer: string): boolean {
  return `${inner}/`.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/** A missing origin may be an outage: the daemon decides. */
function realOrAsGiven(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    return root;
  }
}
