// From what a person gave to what a mount shall be. Used by `musicfs mount`, by the daemon under a service manager, and
// by a running daemon that is told to look at its configuration again.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { MusicfsError } from '../platform/errors.ts';
import { parseFailpoint } from '../platform/failpoints.ts';
import { type PathEnvironment, socketPathFor, stateDirectoryFor } from '../platform/instance-paths.ts';
import { resolveMountPoint } from '../platform/mount-table.ts';
import type { ConfigFile } from './config-file.ts';
import type { GivenOptions, MountOptions, OriginOption } from './mount-options.ts';

export interface SettleContext {
  readonly env: PathEnvironment;
  readonly uid: number;
  /** Origins that were settled before: the disk is not asked again where their links lead. */
  readonly known?: readonly OriginOption[];
}

/** Throws `invalid_argument` or `config_invalid`, one line that says what to do. */
export async function settleOptions(
  given: GivenOptions,
  { env, uid, known = [] }: SettleContext,
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
    origins: originsFrom(given.origins, config.origins ?? [], mountPoint, known),
    driver: given.driver ?? config.fuse?.driver ?? 'kernel',
    passthrough: config.fuse?.passthrough ?? 'auto',
    allowOther: given.allowOther ?? config.mount?.allow_other ?? false,
    logLevel: config.log?.level ?? 'info',
    enableFailpoints: given.enableFailpoints ?? failpoints.length > 0,
    failpoints,
    given,
  };
}

type OriginEntry = { readonly id?: string | undefined; readonly path: string };

/** Gives each origin an id: its own, or local, local-2, … Plain paths and `local:PATH` are local directories. */
function originsFrom(
  given: readonly string[],
  configured: readonly OriginEntry[],
  mountPoint: string,
  known: readonly OriginOption[],
): OriginOption[] {
  const entries: readonly OriginEntry[] =
    given.length === 0 ? configured : given.map((text) => ({ path: localPath(text) }));
  if (entries.length === 0) {
    throw new MusicfsError('invalid_argument', 'an origin is needed: --origin PATH, a directory with music');
  }
  const origins: OriginOption[] = [];
  for (const { id, path: root } of entries) {
    const taken = origins.map((origin) => origin.id);
    const free =
      id ??
      ['local', ...entries.map((_, index) => `local-${index + 2}`)].find((name) => !taken.includes(name));
    if (free === undefined || taken.includes(free)) {
      throw new MusicfsError('config_invalid', `two origins have the id ${free}: give each its own`);
    }
    const asGiven = path.resolve(root);
    // One below the mount point is refused later; a look at it now might never return.
    const isSettled = isWithin(asGiven, mountPoint) || known.some((origin) => origin.root === asGiven);
    const resolved = isSettled ? asGiven : realOrAsGiven(asGiven);
    const overlap = origins.find((other) => isWithin(resolved, other.root) || isWithin(other.root, resolved));
    if (overlap !== undefined) {
      throw new MusicfsError(
        'config_invalid',
        `origins ${overlap.root} and ${resolved} overlap: each track would be shown twice; name the outer one only`,
      );
    }
    origins.push({ id: free, root: resolved });
  }
  return origins;
}

function isWithin(inner: string, outer: string): boolean {
  return `${inner}/`.startsWith(outer === '/' ? '/' : `${outer}/`);
}

function localPath(text: string): string {
  const match = /^([a-z0-9]+):(.+)$/.exec(text);
  if (match === null) return text;
  if (match[1] === 'local') return match[2] ?? text;
  throw new MusicfsError(
    'invalid_argument',
    `--origin ${text}: only local directories are built yet: --origin PATH`,
  );
}

/** A missing origin may be an outage: the daemon decides. */
function realOrAsGiven(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    return root;
  }
}
