// musicfs cache stats, verify, clear: what is kept of origins over a network.
import type { Command } from 'commander';
import type { CacheReport } from '../control/client.ts';
import { bytes, count, counted } from '../platform/plain-figures.ts';
import { exitCodes } from './exit-codes.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { printJsonLine, printReport } from './print.ts';
import { pathInMount } from './tree-path.ts';

const showEveryMs = 500;

interface VerifyOptions extends DaemonOptions {
  readonly repair?: boolean;
  readonly full?: boolean;
}

interface ClearOptions extends DaemonOptions {
  readonly origin?: string;
  readonly path?: string;
  readonly pinned?: boolean;
  readonly dryRun?: boolean;
}

export function registerCache(program: Command): void {
  const cache = program.command('cache').description('what is kept of origins over a network');
  addDaemonOptions(cache.command('stats'))
    .description('show what is kept, and what it is worth')
    .action(async (options: DaemonOptions) => {
      const report = await withDaemon(undefined, options, (client) => client.cacheStats());
      printReport(report, options.json, describeCache);
    });
  addDaemonOptions(cache.command('verify'))
    .description('hold index and files against each other; exit code 7 when something is wrong')
    .option('--repair', 'put right what is wrong: damaged chunks are fetched again when somebody reads them')
    .option('--full', 'read every chunk; otherwise only sizes are compared')
    .action(async (options: VerifyOptions) => {
      await withDaemon(undefined, options, async (client) => {
        let shownAtMs = Number.NEGATIVE_INFINITY;
        const parts = client.verifyCache({ repair: options.repair === true, full: options.full === true });
        for await (const part of parts) {
          const nowMs = performance.now();
          if (options.json === true && (part.done || nowMs - shownAtMs > showEveryMs)) {
            shownAtMs = nowMs;
            printJsonLine(part);
          }
          if (!part.done) continue;
          if (options.json !== true) {
            const wrong = `${count(part.bad)} damaged, ${count(part.missing)} missing, ${count(part.orphans)} not in the index`;
            const way =
              part.clean || options.repair === true ? '' : '; musicfs cache verify --repair puts it right';
            console.log(
              `${counted(part.checked, 'chunk')}: ${wrong}, ${count(part.repaired)} put right${way}`,
            );
          }
          if (!part.clean) process.exitCode = exitCodes.problems.code;
        }
      });
    });
  addDaemonOptions(cache.command('clear'))
    .description('forget what is kept; it is fetched again when somebody reads it')
    .option('--origin <id>', 'of this origin only')
    .option('--path <path>', 'of what is below this path of the mount only')
    .option('--pinned', 'also what is pinned')
    .option('--dry-run', 'only say what would go')
    .action(async (options: ClearOptions) => {
      const cleared = await withDaemon(undefined, options, async (client) =>
        client.clearCache({
          includePinned: options.pinned === true,
          dryRun: options.dryRun === true,
          ...(options.origin === undefined ? {} : { originId: options.origin }),
          ...(options.path === undefined ? {} : { path: await pathInMount(client, options.path) }),
        }),
      );
      const verb = options.dryRun === true ? 'would forget' : 'forgot';
      printReport(
        cleared,
        options.json,
        (it) => `${verb} ${counted(it.chunks, 'chunk')}, ${bytes(it.bytes)}`,
      );
    });
}

function describeCache(report: CacheReport): string {
  const label = (name: string, text: string) => `${name.padEnd(9)} ${text}`;
  if (report.mode === 'off')
    return 'nothing is kept: every file is read where it lies, or the cache is switched off';
  const reads = report.hits + report.misses;
  const share = reads === 0 ? '' : `, ${Math.round((report.hits * 100) / reads)} % without an origin`;
  return [
    label('mode', report.cause === '' ? report.mode : `${report.mode} (${report.cause})`),
    label(
      'kept',
      `${bytes(report.storedBytes)} of ${bytes(report.limitBytes)}, ${counted(report.storedChunks, 'chunk')}`,
    ),
    label(
      'files',
      `${count(report.completeFiles)} whole, ${count(report.partialFiles)} in part, ${bytes(report.logicalBytes)}, ${Math.round(report.sharedShare * 100)} % shared`,
    ),
    label('pinned', bytes(report.pinnedBytes)),
    label('reads', `${count(reads)}${share}`),
    label(
      'bytes',
      `${bytes(report.bytesFromCache)} from the cache, ${bytes(report.bytesFromOrigins)} from origins`,
    ),
    label(
      'lost',
      `${bytes(report.evictedBytes)} evicted, ${counted(report.corruptChunks, 'damaged chunk')} fetched again`,
    ),
    ...report.origins.map((origin) =>
      label(
        'origin',
        `${origin.originId}  ${bytes(origin.logicalBytes)}, ${count(origin.completeFiles)} whole, ${count(origin.partialFiles)} in part`,
      ),
    ),
  ].join('\n');
}
