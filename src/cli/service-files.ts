// What a service consists of on the disk, as data: which files, with which contents. Pure; service-installer.ts writes
// them. The units themselves lie in systemd/ at the root of this tree, as templates with one placeholder, @BIN@, for the
// folder of the programs.
import path from 'node:path';
import { MusicfsError } from '../platform/errors.ts';

export interface Service {
  /** Part of every path below /etc, /run and /var/lib: `musicfs` for the service without an instance. */
  readonly name: string;
  /** "musicfs.service" or "musicfs@NAME.service" */
  readonly unit: string;
  readonly cleanupUnit: string;
  /** Name of the template in systemd/, and of the unit's file. */
  readonly template: string;
  readonly configFile: string;
}

export interface ServiceOptions {
  readonly user: string;
  readonly passthrough: boolean;
}

export const unitFolder = '/etc/systemd/system';
export const cleanupTemplate = 'musicfs-cleanup@.service';
export const usersFile = {
  template: 'sysusers.d/musicfs.conf',
  file: '/etc/sysusers.d/musicfs.conf',
} as const;
export const foldersFile = {
  template: 'tmpfiles.d/musicfs.conf',
  file: '/etc/tmpfiles.d/musicfs.conf',
} as const;
/** Whom a service runs as unless told otherwise; its units say so. */
export const serviceUser = 'musicfs';

/** Throws `invalid_argument` for a name that cannot be part of a unit's name as it stands. */
export function serviceNamed(name: string = serviceUser): Service {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$/.test(name)) {
    throw new MusicfsError(
      'invalid_argument',
      `${JSON.stringify(name)} is no name for a service: up to 48 of A-Z, a-z, 0-9, and after the first . _ -`,
    );
  }
  const template = name === serviceUser ? 'musicfs.service' : 'musicfs@.service';
  return {
    name,
    unit: name === serviceUser ? template : `musicfs@${name}.service`,
    cleanupUnit: `musicfs-cleanup@${name}.service`,
    template,
    configFile: `/etc/musicfs/${name}.toml`,
  };
}

/** A template with the folder of the programs put in. Throws `refused` for one that a unit cannot name. */
export function renderUnit(template: string, programFolder: string): string {
  if (/[\u0000-\u001f\u007f]/.test(programFolder)) {
    throw new MusicfsError(
      'refused',
      `a unit of systemd cannot name ${JSON.stringify(programFolder)}: move the tree`,
    );
  }
  const quoted = programFolder.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%');
  return template.replaceAll('@BIN@', () => quoted);
}

/** What differs from the templates, by file; null: the file is not to exist. */
export function dropInsFor(
  service: Service,
  { user, passthrough }: ServiceOptions,
): ReadonlyMap<string, string | null> {
  const isOther = user !== serviceUser;
  const identity = isOther ? [`User=${user}`, ...(user === 'root' ? everyCapability : [])] : [];
  const ambient = passthrough ? ['AmbientCapabilities=CAP_SYS_ADMIN'] : [];
  return new Map([
    [dropInOf(service.unit), dropIn([...identity, ...ambient])],
    [dropInOf(service.cleanupUnit), dropIn(identity)],
  ]);
}

/** Root gives its rights away itself: parsers run as nobody. */
const everyCapability = ['CapabilityBoundingSet=~'];

function dropIn(lines: readonly string[]): string | null {
  if (lines.length === 0) return null;
  return ['# Written by musicfs install-service', '[Service]', ...lines, ''].join('\n');
}

export function dropInOf(unit: string): string {
  return path.join(unitFolder, `${unit}.d`, 'musicfs-install.conf');
}

/** A configuration that shows these origins, as TOML. */
export function configurationFor(mountPoint: string, origins: readonly string[]): string {
  return [
    '[mount]',
    `point = ${tomlString(mountPoint)}`,
    '# others than the user of the service see it',
    'allow_other = true',
    ...origins.flatMap((root) => ['', '[[origins]]', `path = ${tomlString(root)}`]),
    '',
  ].join('\n');
}

/** A basic string of TOML takes the same escapes as JSON; DEL is the one character JSON leaves as it is. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
