// `<state>/options.json`: what the mount of a state directory was settled to be. Written before it is mounted and when
// a restart is to bring something new; read by each life of the daemon, so that a life that begins because the last one
// died asks neither the configuration, which may be half edited, nor any disk.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { defaultLibrary, defaultLibraryOptions, type LibrarySettings } from '../library/library-options.ts';
import { defaultScan } from '../library/scan-settings.ts';
import { defaultArtwork } from '../platform/artwork-settings.ts';
import { defaultCache } from '../platform/cache-settings.ts';
import { MusicfsError } from '../platform/errors.ts';
import { defaultOwnership, driverNames, passthroughModes } from '../platform/fuse-settings.ts';
import { logLevels } from '../platform/logger.ts';
import { type OriginSettings, originDefaults } from '../platform/origin-settings.ts';
import type { MountOptions } from './mount-options.ts';

const schema = v.object({
  format: v.literal(1),
  mountPoint: v.string(),
  stateDirectory: v.string(),
  socketPath: v.string(),
  // Written by this program, and by earlier ones, which knew less of an origin.
  origins: v.array(
    v.pipe(
      v.looseObject({ id: v.string(), root: v.string() }),
      v.transform(
        (origin) => ({ kind: 'local', symlinks: 'inside', ...originDefaults, ...origin }) as OriginSettings,
      ),
    ),
  ),
  cache: v.optional(
    v.object({
      enabled: v.boolean(),
      contentMaxBytes: v.number(),
      minFreeBytes: v.number(),
      minFreeShare: v.number(),
    }),
    defaultCache,
  ),
  library: v.optional(
    v.pipe(
      v.object({
        template: v.string(),
        options: v.looseObject({}),
        playlistMap: v.optional(v.array(v.object({ from: v.string(), to: v.string() })), []),
        pathGraceSeconds: v.optional(v.number(), defaultLibrary.pathGraceSeconds),
        caseInsensitive: v.optional(v.boolean(), defaultLibrary.caseInsensitive),
      }),
      v.transform(({ options, ...rest }): LibrarySettings => {
        return { ...rest, options: { ...defaultLibraryOptions, ...options } };
      }),
    ),
    { template: defaultLibrary.template, options: {} },
  ),
  scan: v.optional(
    v.object({
      ignore: v.array(v.string()),
      ignoreBuiltin: v.boolean(),
      extensions: v.optional(v.array(v.string()), [...defaultScan.extensions]),
      sidecars: v.array(v.string()),
      legacyCharset: v.optional(v.string(), defaultScan.legacyCharset),
      background: v.optional(v.string(), defaultScan.background),
    }),
    defaultScan,
  ),
  artwork: v.optional(
    v.object({
      enabled: v.boolean(),
      priority: v.array(v.string()),
      names: v.array(v.string()),
      listSizes: v.boolean(),
    }),
    { ...defaultArtwork, priority: [...defaultArtwork.priority], names: [...defaultArtwork.names] },
  ),
  driver: v.picklist(driverNames),
  passthrough: v.picklist(passthroughModes),
  ownership: v.optional(
    v.object({
      uid: v.nullable(v.number()),
      gid: v.nullable(v.number()),
      filePermissions: v.number(),
      directoryPermissions: v.number(),
    }),
    defaultOwnership,
  ),
  allowOther: v.boolean(),
  logLevel: v.picklist(logLevels),
  enableFailpoints: v.boolean(),
  failpoints: v.array(v.string()),
  given: v.object({
    mountPoint: v.optional(v.string()),
    origins: v.array(v.string()),
    state: v.optional(v.string()),
    config: v.optional(v.string()),
    driver: v.optional(v.picklist(driverNames)),
    allowOther: v.optional(v.boolean()),
    enableFailpoints: v.optional(v.boolean()),
    failpoints: v.optional(v.array(v.string())),
  }),
});

/** Replaces the record, by rename. Throws what the file system says. */
export function recordOptions(options: MountOptions): void {
  const file = fileOf(options.stateDirectory);
  writeFileSync(`${file}.tmp`, `${JSON.stringify({ format: 1, ...options }, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** Throws `refused` when there is none that can be read. */
export function recordedOptions(stateDirectory: string): MountOptions {
  const file = fileOf(stateDirectory);
  try {
    return v.parse(schema, JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new MusicfsError('refused', `${file} cannot be read: mount again with musicfs mount`, {
      cause: error,
    });
  }
}

/** The mount has ended on purpose: nobody goes on with it. */
export function forgetOptions(stateDirectory: string): void {
  rmSync(fileOf(stateDirectory), { force: true });
}

function fileOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'options.json');
}
