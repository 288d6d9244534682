// What a run found, as text for a terminal. Pure.
import type { Verdict } from './bars.ts';
import { type FigureId, figureIds, figures } from './figures.ts';
import type { Counters, Figures } from './results.ts';

/** The figures of one or more workloads; those without samples are left out. */
export function describeFigures(found: Figures, only: readonly FigureId[] = figureIds): string {
  return only
    .flatMap((figure) => (found[figure] === undefined ? [] : [describeFigure(found, figure)]))
    .join('\n');
}

function describeFigure(found: Figures, figure: FigureId): string {
  const { title, unit } = figures[figure];
  const lines = Object.entries(found[figure] ?? {}).map(([system, { median, ratio, samples, counters }]) => {
    const range = samples.length > 1 ? `${Math.min(...samples)} to ${Math.max(...samples)}` : '';
    return [
      `  ${system.padEnd(24)}`,
      `${plain(median)} ${unit.padEnd(7)}`.padStart(18),
      (ratio === undefined ? '' : `x ${plain(ratio)}`).padStart(9),
      `  ${range.padEnd(18)}`,
      describeCounters(counters),
    ]
      .join('')
      .trimEnd();
  });
  return [`\n${title}`, ...lines].join('\n');
}

/** The sum first, then the five most frequent. */
function describeCounters(counters: Counters = {}): string {
  return Object.entries(counters)
    .sort(([one, times], [other, otherTimes]) =>
      one === 'requests' ? -1 : other === 'requests' ? 1 : otherTimes - times,
    )
    .slice(0, 6)
    .map(([name, times]) => `${name} ${plain(times)}`)
    .join(', ');
}

/** One line a bar. */
export function describeBars(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ promise, verdict, measured, bar, direction, unit }) =>
      [
        verdict.padEnd(13),
        promise.padEnd(52),
        (measured === undefined ? '' : plain(measured)).padStart(8),
        `  ${direction} ${bar} ${unit}`,
      ].join(''),
    )
    .join('\n');
}

function plain(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
