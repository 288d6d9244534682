// `npm run bench`: the figures that are reported, not asserted. Same work, same run, for the file system itself, for each
// peer that is installed, and for our own variants. The table goes to the terminal; a full run also writes
// bench/results.json and docs/bench.svg. Everything it makes lies in one folder, which goes when it ends, however it ends.
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { judge } from './bars.ts';
import { Bench, type Workload } from './bench.ts';
import { drawChart } from './chart.ts';
import { runCommand } from './commands.ts';
import { fileSystemItself, typeOf } from './file-system-itself.ts';
import { Libraries } from './libraries.ts';
import { mountsBelow } from './mount-points.ts';
import { findOwn, Musicfs } from './musicfs-systems.ts';
import { findPeers } from './peers.ts';
import { RemoteBench } from './remote/remote-bench.ts';
import { machineFacts, namesAndVersions, type Report } from './report.ts';
import { Samples } from './results.ts';
import { fullSizes, quickSizes } from './sizes.ts';
import { describeBars, describeFigures } from './table.ts';
import { randomRead, sequentialRead } from './workloads/big-file.ts';
import { chunking } from './workloads/chunking.ts';
import { remoteCrowd } from './workloads/remote-crowd.ts';
import { remoteFirstByte } from './workloads/remote-first-byte.ts';
import { remoteKept } from './workloads/remote-kept.ts';
import { remoteMemory } from './workloads/remote-memory.ts';
import { remoteSpeed } from './workloads/remote-speed.ts';
import { scan } from './workloads/scan.ts';
import { smallFiles } from './workloads/small-files.ts';
import { start } from './workloads/start.ts';
import { walks } from './workloads/walks.ts';
import { wideDirectory } from './workloads/wide-directory.ts';

/** Reads come last: by then the files are old enough. */
const workloads: readonly Workload[] = [
  scan,
  start,
  wideDirectory,
  walks,
  smallFiles,
  sequentialRead,
  randomRead,
  remoteKept,
  remoteFirstByte,
  remoteSpeed,
  remoteCrowd,
  chunking,
  remoteMemory,
];
const tree = fileURLToPath(new URL('..', import.meta.url));
const freeBytesNeeded = 6e9;

interface Options {
  readonly quick?: true;
  readonly only?: string;
  readonly folder: string;
}

const program = new Command('bench')
  .description('measures musicfs against its peers in one run')
  .option('--quick', 'small sizes, one round, nothing is written: shows that it runs')
  .option(
    '--only <name>',
    `workloads whose name contains this: ${workloads.map(({ name }) => name).join(', ')}`,
  )
  .option(
    '--folder <path>',
    'where libraries and mounts go: a real disk with 6 GB free',
    fromHere,
    '/var/tmp',
  )
  .action(async (options: Options) => {
    process.exitCode = await main(options);
  });
await program.parseAsync();

/** Below npm the working directory is that of the tree; the user's own is in INIT_CWD. */
function fromHere(folder: string): string {
  return path.resolve(process.env['INIT_CWD'] ?? '.', folder);
}

async function main(options: Options): Promise<number> {
  const chosen = workloads.filter(({ name }) => name.includes(options.only ?? ''));
  const obstacle = obstacleTo(options, chosen);
  if (obstacle !== undefined) {
    console.error(obstacle);
    return 1;
  }
  const folder = mkdtempSync(path.join(options.folder, 'musicfs-bench-'));
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  try {
    const report = await measure(folder, options, chosen, stop.signal);
    const isPart = options.only !== undefined;
    const bars = report.bars.filter(({ verdict }) => !isPart || verdict !== 'not measured');
    console.log(`\n${describeBars(bars)}`);
    for (const line of report.failures) console.error(line);
    if (options.quick === undefined && !isPart) write(report);
    else console.log('\nNot a full run: bench/results.json and docs/bench.svg stay as they are.');
    return report.failures.length === 0 ? 0 : 1;
  } catch (error) {
    if (stop.signal.aborted) console.error('stopped');
    else console.error(error);
    return stop.signal.aborted ? 130 : 1;
  } finally {
    await clear(folder);
  }
}

function obstacleTo({ quick, only, folder }: Options, chosen: readonly Workload[]): string | undefined {
  if (process.getuid?.() !== 0) return 'the bench mounts file systems and drops caches, which needs root';
  if (chosen.length === 0) return `no workload is called ${only}`;
  if (!existsSync(folder)) return `${folder} does not exist`;
  if (typeOf(folder) === 'tmpfs')
    return `${folder} is in memory, where nothing is cold: give --folder on a disk`;
  const { bavail, bsize } = statfsSync(folder);
  if (quick === undefined && bavail * bsize < freeBytesNeeded) return `${folder} has less than 6 GB free`;
  return undefined;
}

async function measure(
  folder: string,
  options: Options,
  chosen: readonly Workload[],
  signal: AbortSignal,
): Promise<Report> {
  const sizes = options.quick ? quickSizes : fullSizes;
  const scratch = path.join(folder, 'musicfs');
  const musicfs = new Musicfs(scratch, signal);
  const own = await findOwn(musicfs, scratch, signal);
  const peers = await findPeers(path.join(folder, 'peers'), signal);
  const systems = [fileSystemItself(folder), ...own.found, ...peers.found];
  const missing = [...own.missing, ...peers.missing];
  for (const { name, version } of systems) console.log(`${name.padEnd(24)} ${version}`);
  for (const line of missing) console.log(line);

  const libraries = new Libraries(folder, sizes, signal);
  const needed = new Set(chosen.flatMap((workload) => workload.libraries));
  for (const name of needed) await libraries.write(name);
  const samples = new Samples();
  let remote: Promise<RemoteBench> | null = null;
  const bench = new Bench({
    ...{ folder, sizes, systems, musicfs, libraries, samples, signal },
    remote: () => (remote ??= RemoteBench.start(folder, sizes, signal)),
  });
  try {
    for (const workload of chosen) {
      if (workload.needsAgedFiles) await libraries.untilAged();
      const startedAtMs = performance.now();
      await workload.run(bench);
      console.log(describeFigures(samples.summary(), workload.figures));
      console.log(`(${workload.name}: ${Math.round((performance.now() - startedAtMs) / 1000)} s)`);
    }
  } finally {
    // Started by whichever workload came first; a start that failed left nothing.
    await (remote as Promise<RemoteBench> | null)?.then(
      (started) => started.end(),
      () => undefined,
    );
  }
  const figures = samples.summary();
  return {
    date: new Date().toISOString(),
    machine: machineFacts(typeOf(folder)),
    sizes,
    systems: namesAndVersions(systems),
    missing,
    failures: bench.failures,
    figures,
    bars: judge(figures),
  };
}

function write(report: Report): void {
  writeFileSync(path.join(tree, 'bench/results.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path.join(tree, 'docs/bench.svg'), drawChart(report));
  console.log('\nbench/results.json and docs/bench.svg are written.');
}

/** Every mount has been taken away where it was made; what is left after a failure goes here. */
async function clear(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) {
    await runCommand('umount', ['-l', point], { limitMs: 5_000 }).catch(() => undefined);
  }
  if (mountsBelow(folder).length > 0)
    console.error(`still mounted below ${folder}: nothing there is deleted`);
  else rmSync(folder, { recursive: true, force: true });
}
