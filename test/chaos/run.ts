// `npm run chaos`: faults from a seed against a mounted library with eight checked readers, for as long as is wanted.
// Ends with 1 when an invariant was broken. docs/CHAOS.md says how to read it and how to add to it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { runChaos } from './harness/chaos-run.ts';
import { describeResult } from './harness/report.ts';
import { type VictimKind, victimKinds } from './harness/victims.ts';

interface Options {
  readonly seed?: number;
  readonly minutes: number;
  readonly kills: number;
  readonly victims: readonly VictimKind[];
  readonly passthrough?: 'auto' | 'never';
  readonly scan?: true;
  readonly json?: string;
}

const program = new Command('chaos')
  .description('makes parts of a mounted musicfs fail while eight readers check every byte and name')
  .option('--seed <n>', 'repeats the run that printed it', wholeNumber)
  .option('--minutes <m>', 'faults for at most so long', wholeNumber, 10)
  .option('--kills <k>', 'faults in all', wholeNumber, 100)
  .option('--victims <kinds>', `of ${victimKinds.join(',')}`, kindsFrom, [...victimKinds])
  .addOption(new Option('--passthrough <mode>', 'left out: the seed decides').choices(['auto', 'never']))
  .option('--scan', 'a scan of many files runs all the time')
  .option('--json <file>', 'the figures as JSON')
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
      limitMs: options.minutes * 60_000,
      isScanning: options.scan ?? false,
      signal: stop.signal,
      onFault: (count, what) => {
        if (count % 10 === 0) console.log(`${new Date().toISOString()} ${count} faults, the last: ${what}`);
      },
    });
    console.log(`\n${describeResult(result)}`);
    if (options.json !== undefined) {
      const file = path.resolve(process.env['INIT_CWD'] ?? '.', options.json);
      writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), ...result }, null, 2)}\n`);
    }
    return result.broken.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error);
    return 1;
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
