// How a scan is shown while it runs: a bar on a terminal, otherwise a line a second. Goes to stderr, so that results on
// stdout stay clean.
import { count, counted, duration } from '../platform/plain-figures.ts';
import { harmless } from './print.ts';

/** The part of a scan's state that is shown. */
export interface ShownProgress {
  readonly phase?: string;
  readonly done: number;
  readonly total: number;
  readonly filesPerSecond: number;
  readonly etaSeconds?: number;
  readonly currentPath?: string;
}

export interface ProgressView {
  show(progress: ShownProgress): void;
  end(): void;
}

export async function createProgressView(): Promise<ProgressView> {
  return process.stderr.isTTY ? barView() : lineView();
}

/** For logs and pipes: the first line at once, then at most one a second. */
function lineView(): ProgressView {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return {
    show(progress) {
      const nowMs = performance.now();
      if (progress.phase === 'done' || nowMs - shownAtMs < everyMs) return;
      shownAtMs = nowMs;
      process.stderr.write(`${describeProgress(progress)}${pathOf(progress)}\n`);
    },
    end() {},
  };
}

const everyMs = 1_000;

async function barView(): Promise<ProgressView> {
  const { default: progressBars } = await import('cli-progress');
  const bar = new progressBars.SingleBar({
    format: '{bar} {percentage} %  {text}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    fps: 5,
    clearOnComplete: true,
    stopOnComplete: false,
    linewrap: false,
  });
  bar.start(1, 0, { text: '' });
  return {
    show(progress) {
      bar.setTotal(Math.max(progress.total, 1));
      bar.update(Math.min(progress.done, progress.total), {
        text: `${describeProgress(progress)}${pathOf(progress)}`,
      });
    },
    end: () => bar.stop(),
  };
}

function describeProgress({ phase, done, total, filesPerSecond, etaSeconds }: ShownProgress): string {
  const left = etaSeconds === undefined ? '' : `, ${duration(etaSeconds)} left`;
  return `${phase ?? 'waiting'}: ${count(done)} of ${counted(total, 'file')}, ${count(Math.round(filesPerSecond))} a second${left}`;
}

/** File names are the users' and may hold anything: what could steer a terminal is not shown. */
function pathOf({ currentPath }: ShownProgress): string {
  return currentPath === undefined ? '' : `  ${harmless(currentPath)}`;
}
