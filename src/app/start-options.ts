// The arguments of musicfsd → what it is started with.
//
// Under a keeper: everything was settled and mounted before; what was settled is read from the state directory. Under a
// service manager: the daemon settles and mounts itself, unless the manager has kept the session of an earlier life.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { GivenOptions } from '../config/mount-options.ts';
import { absoluteOrigin } from '../config/origin-entries.ts';
import { recordedOptions } from '../config/recorded-options.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { driverNames } from '../platform/fuse-settings.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { exitCodes } from './exit-codes.ts';

type StartOptions = Omit<DaemonOptions, 'threads'>;

/** Resolves to the options, or to the exit code when there is nothing to run: why is said on stderr in one line. */
export async function startOptions(argv: readonly string[]): Promise<StartOptions | number> {
  try {
    const values = parse(argv);
    return values.kept === true ? keptOptions(values) : await serviceOptions(values);
  } catch (error) {
    process.stderr.write(`musicfsd: ${messageOf(error)}\n`);
    return usageCodes.has(codeOf(error)) ? exitCodes.usage : exitCodes.refused;
  }
}

const usageCodes: ReadonlySet<string> = new Set([
  'invalid_argument',
  'config_invalid',
  'unsupported_operation',
]);

type Values = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        // Of a keeper.
        kept: { type: 'boolean' },
        'session-fd': { type: 'string' },
        'memory-fd': { type: 'string' },
        device: { type: 'string' },
        // Of a service manager, as for `musicfs mount`.
        unit: { type: 'string' },
        config: { type: 'string' },
        origin: { type: 'string', multiple: true },
        driver: { type: 'string' },
        'allow-other': { type: 'boolean' },
        'enable-failpoints': { type: 'boolean' },
        failpoint: { type: 'string', multiple: true },
        // Of both.
        state: { type: 'string' },
        'mount-point': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new MusicfsError('invalid_argument', `${messageOf(error)}; it is started by: musicfs mount`);
  }
}

function keptOptions(values: Values): StartOptions {
  const { state, device, 'mount-point': mountPoint } = values;
  if (state === undefined) throw new MusicfsError('invalid_argument', '--kept needs --state');
  const options = recordedOptions(state);
  if (options.mountPoint !== mountPoint) {
    throw new MusicfsError('refused', `${state} is the state of ${options.mountPoint}, not of ${mountPoint}`);
  }
  const fd = Number(values['session-fd']);
  const memoryFd = Number(values['memory-fd']);
  const isInherited = device !== undefined && Number.isInteger(fd) && Number.isInteger(memoryFd);
  if (!isInherited && options.driver === 'kernel') {
    throw new MusicfsError('invalid_argument', '--session-fd, --memory-fd and --device are needed');
  }
  return {
    ...options,
    ...ownFacts(),
    session: isInherited ? { fd, memoryFd, device } : null,
    keptBy: 'keeper',
    manager: null,
    unit: null,
  };
}

async function serviceOptions(values: Values): Promise<StartOptions> {
  const { acquireSession } = await import('./acquire-session.ts');
  const driver = driverNames.find((name) => name === values.driver);
  if (values.driver !== undefined && driver === undefined) {
    throw new MusicfsError('invalid_argument', `--driver takes one of ${driverNames.join(', ')}`);
  }
  const absolute = (file: string | undefined) => (file === undefined ? undefined : path.resolve(file));
  const given: GivenOptions = {
    mountPoint: absolute(values['mount-point']),
    origins: (values.origin ?? []).map(absoluteOrigin),
    state: absolute(values.state),
    config: absolute(values.config),
    driver,
    allowOther: values['allow-other'],
    enableFailpoints: values['enable-failpoints'],
    failpoints: values.failpoint,
  };
  const facts = ownFacts();
  const { options, ...held } = await acquireSession(given, facts.uid);
  return { ...options, ...facts, ...held, unit: values.unit ?? null };
}

function ownFacts(): Pick<DaemonOptions, 'uid' | 'gid' | 'version'> {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    version: (JSON.parse(text) as { version: string }).version,
  };
}
