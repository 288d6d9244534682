// The result of a run as lines for a person.
import type { ChaosResult } from './chaos-run.ts';
import type { PauseFigures } from './pauses.ts';

export function describeResult(result: ChaosResult): string {
  const { seed, faults, kills, checks, failedReads, wrongBytes, lostMounts, parses, mostMb } = result;
  const lines = [
    `seed ${seed} · ${faults} faults, ${kills} of them kills of the daemon · ${Math.round(result.tookMs / 1000)} s`,
    `${checks} checks · ${failedReads} failed reads · ${wrongBytes} wrong · ${lostMounts} lost mounts`,
    `memory at most: daemon ${mostMb.daemon} MB, keeper ${mostMb.keeper} MB`,
    ...(parses.allowed > 0 ? [`${parses.seen} parses, ${parses.allowed} allowed`] : []),
    '',
    describePauses(result.pauses),
    '',
    ...(result.broken.length === 0 ? ['every invariant holds'] : ['BROKEN', ...result.broken]),
  ];
  return lines.join('\n');
}

export function describePauses(pauses: readonly PauseFigures[]): string {
  const rows = pauses.map(({ kind, faults, p50, p99, max, wellP50, wellMax }) => [
    kind,
    ...[faults, p50, p99, max, wellP50, wellMax].map((value) => String(Math.round(value))),
  ]);
  const head = ['pause of readers, ms', 'faults', 'p50', 'p99', 'max', 'well p50', 'well max'];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
