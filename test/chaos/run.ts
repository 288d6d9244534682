// `npm run chaos`: faults from a seed against a mounted library with eight checked readers, for as long as is wanted; with
// `--wire` the matrix of faults on the way to each kind of origin instead.
// Ends with 1 when an invariant was broken. docs/CHAOS.md says how to read it and how to add to it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { runChaos } from './harness/chaos-run.ts';
import { describeResult } from './harness/report.ts';
import { type VictimKind, victimKinds } from './harness/victims.ts';
import { allCells, type Cell, cellsFrom, nameOf } from './wire/cells.ts';
import { describeMatrix, runMatrix, wholeWire } from './wire/wire-matrix.ts';

interface Options {
  readonly seed?: number;
  readonly minutes?: number;
  readonly kills: number;
  readonly victims: readonly VictimKind[];
  readonly passthrough?: 'auto' | 'never';
  readonly scan?: true;
  readonly json?: string;
  readonly wire?: true;
  readonly only?: readonly Cell[];
}

/** Mounts of the matrix that run at once: enough to keep two cores busy without making a deadline a matter of luck. */
const wireMountsAtOnce = 3;

const program = new Command('chaos')
  .description('makes parts of a mounted musicfs fail while eight readers check every byte and name')
  .option('--seed <n>', 'repeats the run that printed it', wholeNumber)
  .option('--minutes <m>', 'faults for at most so long; of --wire: left out, all of it', wholeNumber)
  .option('--kills <k>', 'faults in all', wholeNumber, 100)
  .option('--victims <kinds>', `of ${victimKinds.join(',')}`, kindsFrom, [...victimKinds])
  .addOption(new Option('--passthrough <mode>', 'left out: the seed decides').choices(['auto', 'never']))
  .option('--scan', 'a scan of many files runs all the time')
  .option('--json <file>', 'the figures as JSON')
  .option('--wire', 'faults on the way to each kind of origin: the matrix of docs/CHAOS.md')
  .option('--only <cells>', 'of the matrix, kind/fault/state, each a name or *', onlyFrom)
  .action(async (options: Options) => {
    process.exitCode = await main(options);
  });
await program.parseAsync();

async function main(options: Options): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error('the readers drop caches and the daemon is killed, which needs root: sudo npm run chaos');
    return 1;
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  if (options.wire === true) return wire(seed, options);
  const passthrough = options.passthrough ?? (seed % 2 === 0 ? 'auto' : 'never');
  console.log(`passthrough: ${passthrough}`);
  console.log(`seed ${seed}: npm run chaos -- --seed ${seed} --kills ${options.kills}`);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  try {
    const result = await runChaos({
      seed,
      victims: options.victims,
      passthrough,
      kills: options.kills,
      limitMs: (options.minutes ?? 10) * 60_000,
      isScanning: options.scan ?? false,
      signal: stop.signal,
      onFault: (count, what) => {
        if (count % 10 === 0) console.log(`${new Date().toISOString()} ${count} faults, the last: ${what}`);
      },
    });
    console.log(`\n${describeResult(result)}`);
    writeJson(options, result);
    return result.broken.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error);
    return 1;
  }
}

async function wire(seed: number, options: Options): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  const limit = setTimeout(() => stop.abort(), (options.minutes ?? 24 * 60) * 60_000);
  const cells = options.only ?? allCells();
  console.log(`seed ${seed}: npm run chaos -- --wire --seed ${seed}; ${cells.length} cells`);
  try {
    const result = await runMatrix(cells, wireMountsAtOnce, {
      ...wholeWire,
      seed,
      signal: stop.signal,
      onCell: ({ cell, broken }) => {
        console.log(
          `${new Date().toISOString()} ${nameOf(cell)} ${broken.length === 0 ? 'holds' : 'BROKEN'}`,
        );
      },
    });
    console.log(`\n${describeMatrix(result)}`);
    if (result.cells.length < cells.length)
      console.log(`stopped after ${result.cells.length} of ${cells.length} cells`);
    writeJson(options, result);
    return result.broken.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error);
    return 1;
  } finally {
    clearTimeout(limit);
  }
}

function writeJson({ json }: Options, result: object): void {
  if (json === undefined) return;
  const file = path.resolve(process.env['INIT_CWD'] ?? '.', json);
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), ...result }, null, 2)}\n`);
}

function onlyFrom(text: string): Cell[] {
  try {
    return cellsFrom(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return Number(text);
}

function kindsFrom(text: string): VictimKind[] {
  return text.split(',').map((word) => {
    const kind = victimKinds.find((known) => known === word);
    if (kind === undefined) throw new InvalidArgumentError(`one or more of ${victimKinds.join(',')}`);
    return kind;
  });
}
