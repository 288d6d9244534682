// A report of a run, made up: enough systems and figures for the bars and the chart.
import type { FigureId } from '../../../bench/figures.ts';
import type { Report } from '../../../bench/report.ts';
import { type Counters, summarize } from '../../../bench/results.ts';
import { fullSizes } from '../../../bench/sizes.ts';
import type { SystemName } from '../../../bench/system.ts';

export interface MadeUp {
  readonly figure: FigureId;
  readonly system: SystemName;
  readonly value: number;
  readonly counters?: Counters;
}

export function figuresOf(...samples: readonly MadeUp[]) {
  return summarize(samples);
}

export function reportOf(...samples: readonly MadeUp[]): Report {
  return {
    date: '2026-01-02T03:04:05.000Z',
    machine: {
      processors: 2,
      processor: 'any',
      memoryGb: 24,
      kernel: '6.18.0',
      distribution: 'any',
      node: 'v24.0.0',
      fileSystem: 'ext4',
    },
    sizes: fullSizes,
    systems: [],
    missing: [],
    failures: [],
    figures: figuresOf(...samples),
    bars: [],
  };
}
