// musicfsd: the daemon. Started by a keeper, which has mounted and hands the session down as a descriptor.
// Parses its arguments, installs the crash report, and runs app/daemon.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DaemonOptions } from './app/daemon-options.ts';
import { exitCodes } from './app/exit-codes.ts';
import { reportCrashes } from './platform/crash-report.ts';
import { ThreadSource } from './platform/thread-source.ts';

reportCrashes('musicfsd', exitCodes.crashed);
process.on('SIGUSR1', () => undefined); // Node would start its inspector
process.on('SIGPIPE', () => undefined);
process.on('SIGHUP', () => undefined); // a configuration is read at the start only
process.on('SIGUSR2', () => undefined);
process.umask(0o077); // what is written is the daemon's own

const options = parse(process.argv.slice(2));
if (typeof options === 'string') {
  process.stderr.write(`musicfsd: ${options}; it is started by: musicfs mount\n`);
  process.exit(exitCodes.usage);
}
// The threads load while the rest of the program does.
const threads = {
  fuse: new ThreadSource(new URL('./fuse/fuse-thread.ts', import.meta.url), 'fuse'),
  catalogWriter: new ThreadSource(new URL('./catalog/writer-thread.ts', import.meta.url), 'catalog-writer'),
};
threads.catalogWriter.startAhead();
if (options.driver === 'kernel') threads.fuse.startAhead();
const { runDaemon } = await import('./app/daemon.ts');
const { exitNow } = await import('./platform/native.ts');
exitNow(await runDaemon({ ...options, threads }));

function parse(argv: readonly string[]): Omit<DaemonOptions, 'threads'> | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'mount-point': { type: 'string' },
        state: { type: 'string' },
        socket: { type: 'string' },
        'session-fd': { type: 'string' },
        device: { type: 'string' },
        driver: { type: 'string' },
        passthrough: { type: 'string' },
        origin: { type: 'string', multiple: true },
        uid: { type: 'string' },
        gid: { type: 'string' },
        'allow-other': { type: 'boolean' },
        'enable-failpoints': { type: 'boolean' },
      },
    });
    const { state, socket, device } = values;
    const driver = values.driver === 'fuse-native' ? 'fuse-native' : 'kernel';
    const mountPoint = values['mount-point'];
    const sessionFd = Number(values['session-fd']);
    if (mountPoint === undefined || state === undefined || socket === undefined) {
      return '--mount-point, --state and --socket are needed';
    }
    const session = device !== undefined && Number.isInteger(sessionFd) ? { fd: sessionFd, device } : null;
    if (session === null && driver === 'kernel') return '--session-fd and --device are needed';
    return {
      mountPoint,
      stateDirectory: state,
      socketPath: socket,
      session: driver === 'kernel' ? session : null,
      origins: (values.origin ?? []).map(originFrom),
      driver,
      passthrough: values.passthrough === 'never' ? 'never' : 'auto',
      uid: Number(values.uid ?? 0),
      gid: Number(values.gid ?? 0),
      allowOther: values['allow-other'] ?? false,
      enableFailpoints: values['enable-failpoints'] ?? false,
      version: versionOf(),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `id=/absolute/path` */
function originFrom(text: string): { id: string; root: string } {
  const at = text.indexOf('=');
  return { id: text.slice(0, at), root: text.slice(at + 1) };
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
