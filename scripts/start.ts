// `npm start`: a real library, mounted, from a fresh clone, with nothing to configure. `npm start -- ORIGIN MOUNTPOINT`
// does the same for one's own folder. Stays until Ctrl-C; what it made (mount point, mount, daemon) it takes away.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheHome, demoLibrary } from './demo-library.ts';

const usage = 'usage: npm start [-- ORIGIN MOUNTPOINT]';
/** A terminal's Ctrl-C arrives twice: from the terminal and through npm. */
const sameSignalMs = 2_000;
const treeLines = 12;

const isRoot = process.getuid?.() === 0;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const startedAtMs = performance.now();
  if (argv.length !== 0 && argv.length !== 2) return fail(usage, 2);
  if (process.platform !== 'linux') return fail('musicfs runs on Linux', 2);
  const [origin, mountPoint] = argv.map((text) =>
    path.resolve(process.env['INIT_CWD'] ?? '.', expandHome(text)),
  );
  try {
    if (origin !== undefined && mountPoint !== undefined)
      return await show({ origin, mountPoint, state: [] }, startedAtMs);
    const { music, state } = demoLibrary();
    return await show(
      { origin: music, mountPoint: demoMountPoint(), state: ['--state', state] },
      startedAtMs,
    );
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), 1);
  }
}

/** An ordinary user mounts on what is his own. */
function demoMountPoint(): string {
  return isRoot ? '/mnt/musicfs-demo' : path.join(cacheHome(), 'musicfs/demo/mount');
}

interface Show {
  readonly origin: string;
  readonly mountPoint: string;
  /** Arguments that say where the state goes, when not to the usual place. */
  readonly state: readonly string[];
}

async function show({ origin, mountPoint, state }: Show, startedAtMs: number): Promise<number> {
  // A dead mount of an earlier run is there but cannot be looked at: the mount command heals it.
  const isOurs = !existsSync(mountPoint);
  if (isOurs) makeMountPoint(mountPoint);
  const arguments_ = [
    'mount',
    mountPoint,
    '--origin',
    origin,
    ...state,
    ...(isRoot ? ['--allow-other'] : []),
    '--foreground',
    '--wait',
  ];
  const musicfs = spawn(fileURLToPath(new URL('../bin/musicfs', import.meta.url)), arguments_, {
    // A group of its own: this process forwards one signal, however many arrive.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  forwardSignals(musicfs);
  const ended = new Promise<number>((resolve) => {
    musicfs.once('error', () => resolve(1));
    musicfs.once('exit', (code) => resolve(code ?? 1));
  });
  onLine(musicfs, 'the first scan ', async () => {
    console.log(`\nMounted at ${mountPoint}\n`);
    console.log(await topOfTree(mountPoint));
    console.log(
      `\nReady in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s. Play something:  mpv ${mountPoint}`,
    );
    console.log('How it is: bin/musicfs status   ·   Stop: Ctrl-C');
  });
  const code = await ended;
  if (isOurs) removeMountPoint(mountPoint);
  if (code === 0) console.log('Unmounted; nothing is left running.');
  return code;
}

function makeMountPoint(mountPoint: string): void {
  try {
    mkdirSync(mountPoint, { recursive: true });
  } catch (error) {
    // EEXIST: a dead mount stands there, which existsSync cannot see.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function removeMountPoint(mountPoint: string): void {
  try {
    rmdirSync(mountPoint);
  } catch {
    console.error(`${mountPoint} is left: it is not empty or still in use`);
  }
}

function forwardSignals(musicfs: ChildProcess): void {
  let firstAtMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (firstAtMs !== 0 && now - firstAtMs < sameSignalMs) return;
      firstAtMs = now;
      musicfs.kill('SIGINT');
    });
  }
}

/** Passes on what the command prints, and acts on the line that begins so. */
function onLine(musicfs: ChildProcess, wanted: string, act: () => Promise<void>): void {
  let rest = '';
  musicfs.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith(wanted)) void act().catch((error: unknown) => console.error(String(error)));
      else if (!line.startsWith('mounted ')) console.log(line);
    }
  });
}

/** The first names of the mount, two levels deep, read by a child as any program would. */
function topOfTree(mountPoint: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      'find',
      [mountPoint, '-mindepth', '1', '-maxdepth', '2', '-printf', '%d %f\n'],
      { timeout: 10_000 },
      (error, stdout) => {
        if (error !== null && stdout === '') return resolve(`  (cannot be listed: ${error.message})`);
        const lines = stdout.trimEnd().split('\n');
        const shown = lines
          .slice(0, treeLines)
          .map((line) => `${'    '.repeat(Number(line[0]))}${line.slice(2)}`);
        if (lines.length > treeLines) shown.push(`    … and ${lines.length - treeLines} more`);
        resolve(shown.join('\n'));
      },
    );
  });
}

function expandHome(text: string): string {
  return text === '~' || text.startsWith('~/')
    ? path.join(process.env['HOME'] ?? '/root', text.slice(1))
    : text;
}

function fail(message: string, code: number): number {
  console.error(`musicfs: ${message}`);
  return code;
}
