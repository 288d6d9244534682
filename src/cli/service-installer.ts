// Makes and removes services of systemd: `musicfs install-service` and `uninstall-service`. Needs root. Everything is
// compared before it is written and asked before it is done, so that a second run changes nothing, and says so. What can
// be refused is refused before a unit is touched.
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigFile } from '../config/config-file.ts';
import { MusicfsError } from '../platform/errors.ts';
import { allowsOthers, findFusermount, fuseConfigFile } from '../platform/fusermount.ts';
import { isMusicfs, mountAt, readMounts, resolveMountPoint } from '../platform/mount-table.ts';
import { runProgram } from './run-program.ts';
import { type Account, accountOf, checkOrigin, checkProgram, runAs } from './service-access.ts';
import { type ConfigurationOptions, settleConfiguration } from './service-configuration.ts';
import {
  cleanupTemplate,
  dropInOf,
  dropInsFor,
  foldersFile,
  renderUnit,
  type Service,
  serviceNamed,
  serviceUser,
  unitFolder,
  usersFile,
} from './service-files.ts';
import { SystemFiles, textOf } from './system-files.ts';

export interface InstallOptions extends ConfigurationOptions {
  readonly passthrough: boolean;
  readonly user: string;
  readonly start: boolean;
}

export interface Installation {
  readonly unit: string;
  readonly mountPoint: string;
  readonly state: 'active' | 'not started';
  /** What this run did, one line each; empty: all was there. */
  readonly changed: readonly string[];
}

const tree = fileURLToPath(new URL('../..', import.meta.url));
const programFolder = path.join(realpathSync(tree), 'bin');

/** A first start waits for the disks of the origins; systemd gives it 90 s. */
const startMs = 100_000;

export async function installService(
  name: string | undefined,
  options: InstallOptions,
): Promise<Installation> {
  refuseWithoutSystemd();
  const service = serviceNamed(name);
  const files = new SystemFiles();
  const isOwnUser = options.user === serviceUser;
  await prepareAccount(isOwnUser, files);
  const account = await accountOf(options.user);
  await checkProgram(account, programFolder);
  const { config, keep } = settleConfiguration(service, options, account);
  const mountPoint = resolveMountPoint(config.mount?.point ?? '');
  for (const origin of config.origins ?? []) {
    if ('path' in origin && origin.kind !== 'sftp') await checkOrigin(account, origin.path);
  }
  await prepareMountPoint(mountPoint, account, files);
  if (account.uid !== 0) prepareFusermount(config, files);
  keep(files);
  const areUnitsNew = writeUnits(service, options, files);
  if (areUnitsNew) await manager(['daemon-reload']);
  await enable(service, files);
  if (options.start) await bringUp(service, areUnitsNew, files);
  return {
    unit: service.unit,
    mountPoint,
    state: options.start ? 'active' : 'not started',
    changed: files.changed,
  };
}

/** Stops the service, which unmounts, and removes its units. Configuration and state stay. */
export async function uninstallService(name: string | undefined): Promise<readonly string[]> {
  refuseWithoutSystemd();
  const service = serviceNamed(name);
  const files = new SystemFiles();
  const unitFile = path.join(unitFolder, service.template);
  const isEnabled = (await runProgram('systemctl', ['is-enabled', service.unit])).code === 0;
  const isUp = await isActive(service);
  if (!existsSync(unitFile) || !(isEnabled || isUp || isInstanceKnown(service))) {
    throw new MusicfsError('not_found', `${service.unit} is not installed: systemctl list-units 'musicfs*'`);
  }
  if (isUp) files.did(`stopped ${service.unit}, which unmounts`);
  await manager(['stop', service.unit]);
  await manager(['disable', service.unit]);
  for (const unit of [service.unit, service.cleanupUnit]) files.remove(path.dirname(dropInOf(unit)));
  if (service.template === `${service.name}.service` || otherInstances(service).length === 0)
    files.remove(unitFile);
  if (!installedTemplates().length) files.remove(path.join(unitFolder, cleanupTemplate));
  await manager(['daemon-reload']);
  await runProgram('systemctl', ['reset-failed', service.unit]);
  return files.changed;
}

function refuseWithoutSystemd(): void {
  if (process.getuid?.() !== 0) {
    throw new MusicfsError('permission_denied', 'services are made by root: run this with sudo');
  }
  if (existsSync('/run/systemd/system')) return;
  throw new MusicfsError(
    'refused',
    'this machine was not started by systemd: use musicfs mount, or a line of /etc/fstab (README, "From /etc/fstab")',
  );
}

/** User and folders, which the units expect. */
async function prepareAccount(isOwnUser: boolean, files: SystemFiles): Promise<void> {
  const users = files.write(usersFile.file, readTemplate(usersFile.template));
  const folders = files.write(foldersFile.file, readTemplate(foldersFile.template));
  const isUserMissing = isOwnUser && (await runProgram('id', ['-u', serviceUser])).code !== 0;
  if (users || isUserMissing) await must('systemd-sysusers', [usersFile.file]);
  if (isUserMissing) files.did(`made the user ${serviceUser}`);
  if (folders || !existsSync(path.dirname(serviceNamed().configFile))) {
    await must('systemd-tmpfiles', ['--create', foldersFile.file]);
  }
}

/** An empty directory of the service's user, as fusermount3 demands. */
async function prepareMountPoint(point: string, account: Account, files: SystemFiles): Promise<void> {
  const top = mountAt(point, readMounts());
  if (isMusicfs(top)) return; // nothing here looks into a mount
  if (top !== undefined)
    throw new MusicfsError('refused', `${point} is busy: ${top.fsType} is mounted there`);
  if (!existsSync(point)) {
    mkdirSync(point, { recursive: true, mode: 0o755 });
    files.did(`made ${point}`);
  }
  if (!lstatSync(point).isDirectory()) throw new MusicfsError('refused', `${point} is not a directory`);
  if (readdirSync(point).length > 0) {
    throw new MusicfsError('refused', `${point} is not empty: what is in it would be hidden`);
  }
  if (lstatSync(point).uid !== account.uid) {
    chownSync(point, account.uid, account.gid);
    files.did(`gave ${point} to ${account.user}`);
  }
  const { code } = await runAs(account, 'test', ['-w', point, '-a', '-x', point]);
  if (code === 0) return;
  throw new MusicfsError(
    'refused',
    `the user ${account.user} cannot reach ${point}: choose one outside of any home`,
  );
}

function prepareFusermount({ mount }: ConfigFile, files: SystemFiles): void {
  if (findFusermount() === null) {
    throw new MusicfsError(
      'refused',
      'fusermount3 is missing, through which the service mounts: apt-get install fuse3',
    );
  }
  if (mount?.allow_other !== true) return;
  const text = textOf(fuseConfigFile) ?? '';
  if (allowsOthers(text)) return;
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  files.write(fuseConfigFile, `${text}${separator}user_allow_other\n`);
}

/** True when a unit is another than before. */
function writeUnits(service: Service, options: InstallOptions, files: SystemFiles): boolean {
  const before = files.changed.length;
  for (const template of [service.template, cleanupTemplate]) {
    const text = renderUnit(readTemplate(template), programFolder);
    files.write(path.join(unitFolder, template), text);
  }
  for (const [file, text] of dropInsFor(service, options)) {
    if (text === null) files.remove(file);
    else files.write(file, text);
  }
  return files.changed.length > before;
}

async function enable({ unit }: Service, files: SystemFiles): Promise<void> {
  if ((await runProgram('systemctl', ['is-enabled', unit])).code === 0) return;
  await manager(['enable', unit]);
  files.did(`enabled ${unit}`);
}

/** Started, or restarted when its units are new: the mount stays over that. */
async function bringUp(service: Service, areUnitsNew: boolean, files: SystemFiles): Promise<void> {
  const { unit } = service;
  const isUp = await isActive(service);
  if (isUp && !areUnitsNew) return;
  const { code } = await runProgram('systemctl', [isUp ? 'restart' : 'start', unit], startMs);
  if (code !== 0 || !(await isActive(service))) {
    const { stdout } = await runProgram('journalctl', ['-u', unit, '-n', '20', '-o', 'cat', '--no-pager']);
    throw new MusicfsError(
      'refused',
      `${unit} does not start: ${reasonIn(stdout)}; see journalctl -u ${unit}`,
    );
  }
  files.did(`${isUp ? 'restarted' : 'started'} ${unit}`);
}

/** What the daemon said last about why it refuses; it logs one JSON object a line. */
function reasonIn(journal: string): string {
  const said = journal
    .split('\n')
    .flatMap(
      (line) => /"error":("(?:[^"\\]|\\.)*")/.exec(line)?.[1] ?? /^(musicfsd?: .*)/.exec(line)?.[1] ?? [],
    )
    .at(-1);
  if (said === undefined) return 'it gave no reason';
  return said.startsWith('"') ? String(JSON.parse(said)) : said;
}

async function isActive({ unit }: Service): Promise<boolean> {
  return (await runProgram('systemctl', ['is-active', unit])).code === 0;
}

function manager(args: readonly string[]): Promise<void> {
  return must('systemctl', args);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, said } = await runProgram(program, args, startMs);
  if (code !== 0) throw new MusicfsError('refused', `${program} ${args.join(' ')} failed: ${said}`);
}

function isInstanceKnown({ unit, configFile }: Service): boolean {
  return existsSync(path.dirname(dropInOf(unit))) || existsSync(configFile);
}

/** Enabled services of the same template. */
function otherInstances({ unit }: Service): readonly string[] {
  return namesIn(path.join(unitFolder, 'multi-user.target.wants')).filter(
    (name) => /^musicfs@.+\.service$/.test(name) && name !== unit,
  );
}

function installedTemplates(): readonly string[] {
  return ['musicfs.service', 'musicfs@.service'].filter((name) => existsSync(path.join(unitFolder, name)));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing is enabled there
  }
}

function readTemplate(name: string): string {
  return readFileSync(path.join(tree, 'systemd', name), 'utf8');
}
