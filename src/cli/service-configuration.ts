// Which configuration a new service reads: one that lies where it looks, one that lies elsewhere, or one that is written
// for it.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type ConfigFile, readConfigFile } from '../config/config-file.ts';
import { MusicfsError } from '../platform/errors.ts';
import { resolveMountPoint } from '../platform/mount-table.ts';
import type { Account } from './service-access.ts';
import { configurationFor, type Service } from './service-files.ts';
import { type SystemFiles, textOf } from './system-files.ts';

export interface ConfigurationOptions {
  readonly config?: string;
  readonly origins: readonly string[];
  readonly mountPoint?: string;
}

interface SettledConfiguration {
  readonly config: ConfigFile;
  /** Puts it where the service reads it. */
  readonly keep: (files: SystemFiles) => void;
}

/**
 * The configuration that the service is to read; nothing is written yet. Throws `config_invalid`, `invalid_argument` or
 * `already_exists`.
 */
export function settleConfiguration(
  { configFile }: Service,
  { config, origins, mountPoint }: ConfigurationOptions,
  account: Account,
): SettledConfiguration {
  if (config !== undefined) {
    const given = complete(readConfigFile(config), config);
    const target = realpathSync(config);
    return {
      config: given,
      keep: (files) => {
        if (target !== configFile) files.link(configFile, target);
      },
    };
  }
  if (origins.length > 0) {
    if (mountPoint === undefined) {
      throw new MusicfsError('invalid_argument', 'where to: name the mount point with --mount-point DIR');
    }
    const point = resolveMountPoint(mountPoint);
    const roots = origins.map(realOrAsGiven);
    const text = configurationFor(point, roots);
    if (existsSync(configFile) && textOf(configFile) !== text) {
      throw new MusicfsError(
        'already_exists',
        `${configFile} is there already and says otherwise: edit it and leave --origin out, or remove it`,
      );
    }
    return {
      config: {
        mount: { point, allow_other: true },
        origins: roots.map((root) => ({ kind: 'local', path: root })),
      },
      keep: (files) => void files.write(configFile, text, account.gid),
    };
  }
  if (!existsSync(configFile)) {
    throw new MusicfsError(
      'invalid_argument',
      `${configFile} does not exist: name --origin DIR and --mount-point DIR, or --config FILE`,
    );
  }
  return { config: complete(readConfigFile(configFile), configFile), keep: () => undefined };
}

function complete(config: ConfigFile, file: string): ConfigFile {
  if (config.mount?.point !== undefined && (config.origins ?? []).length > 0) return config;
  throw new MusicfsError('config_invalid', `${file}: a service needs mount.point and at least one origin`);
}

function realOrAsGiven(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    return path.resolve(root); // refused later, with its name
  }
}
