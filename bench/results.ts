// What a run of the bench found: samples as they come in, then one value with medians, ratios and counters, which is
// what bench/results.json holds and what the bars, the table and the chart are made from.
import { type FigureId, figureIds, figures } from './figures.ts';
import { median } from './measure.ts';
import type { SystemName } from './system.ts';

/** Work done for one measurement: counted by the daemon, by name. */
export type Counters = Readonly<Record<string, number>>;

export interface Value {
  readonly median: number;
  readonly samples: readonly number[];
  /** Median by that of the file system itself; absent where that was not measured. */
  readonly ratio?: number;
  /** Of the last round. */
  readonly counters?: Counters;
}

export type Figures = Readonly<Partial<Record<FigureId, Readonly<Partial<Record<SystemName, Value>>>>>>;

/** The file system that everything is related to. */
export const baseline: SystemName = 'file system itself';

interface Sample {
  readonly figure: FigureId;
  readonly system: SystemName;
  readonly value: number;
  readonly counters?: Counters;
}

/** Collects samples while the bench runs. */
export class Samples {
  private readonly all: Sample[] = [];

  add(figure: FigureId, system: SystemName, value: number, counters?: Counters): void {
    this.all.push({ figure, system, value, ...(counters === undefined ? {} : { counters }) });
  }

  summary(): Figures {
    return summarize(this.all);
  }
}

/** Medians and ratios; figures in the order of the report, systems in the order in which they were measured first. */
export function summarize(samples: readonly Sample[]): Figures {
  const result: Partial<Record<FigureId, Partial<Record<SystemName, Value>>>> = {};
  for (const figure of figureIds) {
    const bySystem = Map.groupBy(
      samples.filter((sample) => sample.figure === figure),
      ({ system }) => system,
    );
    if (bySystem.size === 0) continue;
    const reference = median((bySystem.get(baseline) ?? []).map(({ value }) => value));
    const values: Partial<Record<SystemName, Value>> = {};
    for (const [system, own] of bySystem) {
      const middle = median(own.map(({ value }) => value));
      const counters = own.at(-1)?.counters;
      values[system] = {
        median: rounded(middle),
        samples: own.map(({ value }) => rounded(value)),
        ...(Number.isNaN(reference) ? {} : { ratio: rounded(middle / reference) }),
        ...(counters === undefined ? {} : { counters }),
      };
    }
    result[figure] = values;
  }
  return result;
}

/** How many times as fast as the file system itself, whichever way the figure is counted. */
export function relativeSpeed(figure: FigureId, value: Value): number | undefined {
  if (value.ratio === undefined) return undefined;
  return figures[figure].better === 'more' ? value.ratio : 1 / value.ratio;
}

/** Four digits are more than a measurement is worth. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
