// `musicfs mount`: settles on the options, refuses what can be refused, and starts a keeper, in the background or here.
import path from 'node:path';
import { type Command, Option } from 'commander';
import type { GivenOptions, MountOptions } from '../config/mount-options.ts';
import { absoluteOrigin } from '../config/origin-entries.ts';
import { settleOptions } from '../config/settle-options.ts';
import { DaemonUnreachable } from '../control/client-errors.ts';
import type { NewSession } from '../fuse/mount.ts';
import { MusicfsError, messageOf } from '../platform/errors.ts';
import { type DriverName, driverNames } from '../platform/fuse-settings.ts';
import { ownUid } from './find-daemon.ts';

export interface MountArguments {
  readonly origin?: readonly string[];
  readonly state?: string;
  readonly config?: string;
  readonly driver?: DriverName;
  readonly foreground?: boolean;
  readonly wait?: boolean;
  readonly allowOther?: boolean;
  readonly enableFailpoints?: boolean;
  readonly failpoint?: readonly string[];
}

export function registerMount(program: Command): void {
  program
    .command('mount')
    .argument('[mountpoint]', 'an empty directory')
    .argument('[origins...]', 'more directories with music, as after --origin')
    .description('show a music library at a mount point')
    .option(
      '--origin <path>',
      'a directory with music; several may follow, or it is given several times',
      collect,
    )
    .option('--state <dir>', 'where the catalog is kept')
    .option('--config <file>', 'a configuration file (TOML)')
    .addOption(
      new Option('--driver <name>', 'how the kernel is talked to (default: kernel)').choices(driverNames),
    )
    .option('--foreground', 'stay until Ctrl-C')
    .option('--wait', 'return when the first scan is complete')
    .option('--allow-other', 'let other users of this machine in')
    .option('--enable-failpoints', 'for tests: let faults be injected')
    .option(
      '--failpoint <setting>',
      'for tests: arm one at each start of the daemon; may be repeated',
      collect,
    )
    .addHelpText(
      'after',
      '\nExit codes of mount: 0 mounted (in the foreground: stopped) · 1 refused now · 2 usage or configuration · 70 the daemon died over and over',
    )
    .action((_first: string | undefined, _more: readonly string[], given: MountArguments, command: Command) =>
      mount(positionsOf(command), given),
    );
}

export interface Positions {
  readonly mountPoint: string | undefined;
  readonly origins: readonly string[];
}

/**
 * Which of the plain arguments is the mount point: the first, when it stands before the first --origin, otherwise the
 * last. The others are further origins: `mount /mnt --origin A B` and `mount --origin A B /mnt` say the same.
 */
function positionsOf({ args, parent }: Command): Positions {
  const raw = (parent as unknown as { rawArgs: readonly string[] }).rawArgs; // commander keeps what it was given
  const [first, ...others] = args;
  if (first === undefined) return { mountPoint: undefined, origins: [] };
  const option = raw.findIndex((text) => text.startsWith('--origin'));
  const isFirst = option === -1 || raw.indexOf(first) < option;
  return isFirst
    ? { mountPoint: first, origins: others }
    : { mountPoint: args.at(-1), origins: args.slice(0, -1) };
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Never rejects: says why in one line and sets the exit code. `session` is one that mount.fuse3 mounted before. */
export async function mount(
  positions: Positions,
  given: MountArguments,
  session: NewSession | null = null,
): Promise<void> {
  try {
    const options = await settleOptions(givenOptions(positions, given), { env: process.env, uid: ownUid() });
    if (session !== null && options.driver !== 'kernel') {
      throw new MusicfsError(
        'config_invalid',
        `driver ${options.driver} mounts by itself, mount.fuse3 did before`,
      );
    }
    const { prepareMount } = await import('../keeper/prepare-mount.ts');
    await prepareMount(options, { isMounted: session !== null });
    if (given.foreground === true) await runInForeground(options, session, given.wait === true);
    else await runDetached(options, session, given.wait === true);
  } catch (error) {
    // Here 1 says "refused now" and 2 "wrong usage or configuration"; other commands have a finer scale.
    const isUsage = error instanceof MusicfsError && usageCodes.has(error.code);
    // Who mounted before us has gone, and we have no right to unmount.
    const wayBack = session === null ? '' : `; then: sudo umount ${positions.mountPoint}`;
    process.stderr.write(`musicfs: ${error instanceof Error ? error.message : String(error)}${wayBack}\n`);
    if (process.env['MUSICFS_DEBUG'] === '1') console.error(error);
    process.exitCode = isUsage ? 2 : 1;
  }
}

const usageCodes: ReadonlySet<string> = new Set([
  'invalid_argument',
  'config_invalid',
  'unsupported_operation',
]);

/** As given, for whoever has another working directory. */
function givenOptions({ mountPoint, origins }: Positions, given: MountArguments): GivenOptions {
  const absolute = (file: string | undefined) => (file === undefined ? undefined : path.resolve(file));
  return {
    mountPoint: absolute(mountPoint),
    origins: [...(given.origin ?? []), ...origins].map(absoluteOrigin),
    state: absolute(given.state),
    config: absolute(given.config),
    driver: given.driver,
    allowOther: given.allowOther,
    enableFailpoints: given.enableFailpoints,
    failpoints: given.failpoint,
  };
}

async function runDetached(options: MountOptions, session: NewSession | null, wait: boolean): Promise<void> {
  const { startDetachedKeeper } = await import('../keeper/start-detached.ts');
  await startDetachedKeeper(options, session);
  await checkAnswers(options.mountPoint);
  const never = new AbortController().signal;
  if (wait) await firstScan(options.socketPath, never);
  console.log(`mounted ${options.mountPoint}`);
}

async function runInForeground(
  options: MountOptions,
  session: NewSession | null,
  wait: boolean,
): Promise<void> {
  const { startKeeper } = await import('../keeper/keeper.ts');
  const keeper = startKeeper(options, session);
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stopped.abort();
      keeper.stop();
    });
  }
  await keeper.serving;
  await checkAnswers(options.mountPoint);
  console.log(`mounted ${options.mountPoint}; Ctrl-C unmounts`);
  if (wait) {
    const end = await firstScan(options.socketPath, stopped.signal);
    if (end !== 'stopped') console.log(`the first scan ${end === 'complete' ? 'is complete' : 'has ended'}`);
  }
  const code = await keeper.ended;
  if (code !== 0)
    process.stderr.write(
      `musicfs: the daemon died over and over: see ${options.stateDirectory}/musicfsd.log\n`,
    );
  process.exitCode = code;
}

/**
 * Waits for the first scan. Whatever becomes of it, the mount stands: a scan that did not meet everything is said on
 * stderr and is no failure of the mount.
 */
async function firstScan(
  socketPath: string,
  stopped: AbortSignal,
): Promise<'complete' | 'ended' | 'stopped'> {
  const { waitForFirstScan } = await import('./wait-for-scan.ts');
  try {
    await waitForFirstScan(socketPath, stopped);
    return stopped.aborted ? 'stopped' : 'complete';
  } catch (error) {
    // A daemon that ended meanwhile is told of by its keeper.
    if (error instanceof DaemonUnreachable) return 'stopped';
    process.stderr.write(`musicfs: ${messageOf(error)}\n`);
    return 'ended';
  }
}

/** One look through the mount, as any program would have it. */
async function checkAnswers(mountPoint: string): Promise<void> {
  const { probeMount } = await import('../fuse/mount.ts');
  if ((await probeMount(mountPoint)) === 'alive') return;
  throw new MusicfsError('refused', `${mountPoint} does not answer: musicfs status ${mountPoint}`);
}
