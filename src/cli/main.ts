// musicfs: the command line. Loads only the command that was asked for, and gRPC only when that command calls the
// daemon. Every failure ends here as one line on stderr and an exit code.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { messageOf } from '../platform/errors.ts';
import { describeExitCodes, exitCodeOf, exitCodes } from './exit-codes.ts';

type Register = (program: Command) => Promise<void>;

/** In the order of `musicfs --help`. */
const commands: Readonly<Record<string, Register>> = {
  mount: async (program) => (await import('./mount.ts')).registerMount(program),
  unmount: async (program) => (await import('./unmount.ts')).registerUnmount(program),
  restart: async (program) => (await import('./restart.ts')).registerRestart(program),
  upgrade: async (program) => (await import('./restart.ts')).registerUpgrade(program),
  status: async (program) => (await import('./status.ts')).registerStatus(program),
  tree: async (program) => (await import('./tree.ts')).registerTree(program),
  rescan: async (program) => (await import('./rescan.ts')).registerRescan(program),
  cache: async (program) => (await import('./cache.ts')).registerCache(program),
  pin: async (program) => (await import('./pin.ts')).registerPin(program),
  unpin: async (program) => (await import('./pin.ts')).registerUnpin(program),
  pins: async (program) => (await import('./pin.ts')).registerPins(program),
  prefetch: async (program) => (await import('./pin.ts')).registerPrefetch(program),
  explain: async (program) => (await import('./explain.ts')).registerExplain(program),
  template: async (program) => (await import('./template.ts')).registerTemplate(program),
  doctor: async (program) => (await import('./doctor.ts')).registerDoctor(program),
  'install-service': async (program) =>
    (await import('./install-service.ts')).registerInstallService(program),
  'uninstall-service': async (program) =>
    (await import('./install-service.ts')).registerUninstallService(program),
  debug: async (program) => (await import('./debug.ts')).registerDebug(program),
};

async function run(argv: readonly string[]): Promise<number> {
  // Not one of ours: mount.fuse3 puts the options last, and no command has a -o.
  if (argv.at(-2) === '-o') {
    await (await import('./mount-from-fstab.ts')).mountFromFstab(argv);
    return Number(process.exitCode ?? exitCodes.ok.code);
  }
  const program = new Command('musicfs')
    .description('Shows a music library by its tags as a read-only file system.')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addHelpText('after', `\n${describeExitCodes()}`)
    .configureOutput({ outputError: (text, write) => write(asOneLine(withWayOut(text))) })
    .exitOverride();
  const asked = argv.find((argument) => !argument.startsWith('-')) ?? '';
  const known = Object.hasOwn(commands, asked) ? commands[asked] : undefined;
  for (const register of known === undefined ? Object.values(commands) : [known]) await register(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok.code);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code; // commander has said why
    }
    process.stderr.write(asOneLine(messageOf(error)));
    if (process.env['MUSICFS_DEBUG'] === '1') console.error(error);
    return exitCodeOf(error);
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** commander names the nearest word when there is one. */
function withWayOut(text: string): string {
  return text.includes('Did you mean') ? text : `${text.trim()}; see musicfs --help`;
}

function asOneLine(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ');
  return `musicfs: ${line}\n`;
}

if (import.meta.main) {
  // A reader that has seen enough, as in `musicfs status | head -1`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  process.exitCode = await run(process.argv.slice(2));
}
