// The bars: what the product promises about its speed and size, each checked against the figures of one run.
import { type FigureId, ofKind, remoteKinds } from './figures.ts';
import { baseline, type Figures } from './results.ts';
import { peerNames, type SystemName } from './system.ts';

export interface Verdict {
  readonly promise: string;
  readonly verdict: 'held' | 'MISSED' | 'not measured';
  readonly measured?: number;
  /** What it had to reach. */
  readonly bar: number;
  readonly direction: 'at least' | 'at most';
  readonly unit: string;
}

type Lookup = (figure: FigureId, system: SystemName) => number;
interface Bar {
  readonly promise: string;
  /** NaN where a figure is missing. */
  readonly measure: (median: Lookup, figures: Figures) => number;
  readonly direction: 'at least' | 'at most';
  readonly bar: number;
  readonly unit: string;
}

const ours = 'musicfs';
const plain = 'musicfs, no passthrough';

/** Our figure by that of another system. */
function ratio(
  promise: string,
  [figure, system, other]: [FigureId, SystemName, SystemName],
  direction: Bar['direction'],
  bar: number,
): Bar {
  const unit = `x ${other}`;
  return {
    promise,
    measure: (median) => median(figure, system) / median(figure, other),
    direction,
    bar,
    unit,
  };
}

/** Our time by that of the quickest peer. */
function timeByBestPeer(promise: string, figure: FigureId, bar: number): Bar {
  const best = (median: Lookup) => {
    const times = peerNames.map((peer) => median(figure, peer)).filter((time) => !Number.isNaN(time));
    return times.length === 0 ? Number.NaN : Math.min(...times);
  };
  const measure = (median: Lookup) => median(figure, ours) / best(median);
  return { promise, measure, direction: 'at most', bar, unit: 'x best peer' };
}

function atMost(promise: string, figure: FigureId, bar: number, unit: string): Bar {
  return { promise, measure: (median) => median(figure, ours), direction: 'at most', bar, unit };
}

function atLeast(promise: string, figure: FigureId, bar: number, unit: string): Bar {
  return { promise, measure: (median) => median(figure, ours), direction: 'at least', bar, unit };
}

/** ms of so many round trips. */
const roundTrips = (count: number): number => count * 50;

const remoteBars: readonly Bar[] = [
  atLeast('kept file, sequential read, every chunk checked', 'remoteCached', 500, 'MB/s'),
  ratio('kept file, sequential read', ['remoteCached', ours, 'rclone'], 'at least', 2),
  ...remoteKinds.flatMap((kind) => [
    ratio(`${kind}, first byte of a file`, [ofKind('firstByte', kind), ours, 'rclone'], 'at most', 1),
    atMost(`${kind}, first byte of a file`, ofKind('firstByte', kind), roundTrips(4), 'ms'),
  ]),
  ...remoteKinds.flatMap((kind) => [
    atMost(`${kind}, first byte behind a seek`, ofKind('seek', kind), roundTrips(3), 'ms'),
    atMost(`${kind}, fetched for a seek`, ofKind('seekBytes', kind), 2 * 1.048576, 'MB'),
  ]),
  ...remoteKinds.flatMap((kind) => [
    ratio(`${kind} 50 ms away, sequential`, [ofKind('far', kind), ours, 'rclone'], 'at least', 1),
    ratio(`${kind}, sequential`, [ofKind('near', kind), ours, 'rclone'], 'at least', 1),
  ]),
  atMost('100 readers at once, longest read', 'crowdRead', 30_000, 'ms'),
  atMost('100 readers at once, names and attributes, 99 of 100', 'crowdMetadata', 5, 'ms'),
  atLeast('cutting and hashing, one core', 'chunking', 400, 'MB/s'),
  atMost('1,000 files open, 10 GB kept, resident', 'remoteOpenFiles', 200, 'MB'),
];

const bars: readonly Bar[] = [
  ratio('sequential read, cold', ['sequentialCold', ours, baseline], 'at least', 0.95),
  ratio('sequential read, warm', ['sequentialWarm', ours, baseline], 'at least', 0.95),
  ratio('sequential read, cold', ['sequentialCold', ours, 'musefs'], 'at least', 1),
  ratio('sequential read, warm', ['sequentialWarm', ours, 'musefs'], 'at least', 1),
  ratio('sequential read without passthrough, cold', ['sequentialCold', plain, 'bindfs'], 'at least', 1.5),
  ratio('sequential read without passthrough, warm', ['sequentialWarm', plain, 'bindfs'], 'at least', 1.5),
  ratio('O_DIRECT read without passthrough', ['directMemory', plain, 'bindfs'], 'at least', 1.5),
  timeByBestPeer('walk, cold', 'walkCold', 0.5),
  ratio('walk, repeated', ['walkAgain', ours, baseline], 'at most', 2),
  {
    // find asks once for the kind of file system, which no kernel remembers for a FUSE mount.
    promise: 'walk, repeated, asks for no name and no attribute',
    measure: (_, figures) => {
      const counters = figures.walkAgain?.[ours]?.counters;
      return (counters?.['requests'] ?? Number.NaN) - (counters?.['statfs'] ?? 0);
    },
    direction: 'at most',
    bar: 0,
    unit: 'requests',
  },
  timeByBestPeer('open, read, close, warm', 'openReadWarm', 1),
  ratio('random 4 KiB, cold', ['random4k', ours, baseline], 'at most', 1.1),
  atMost('mount to first listing, largest catalog', 'firstListingLarge', 500, 'ms'),
  {
    promise: 'mount to first listing, largest by smallest catalog',
    measure: (median) => median('firstListingLarge', ours) / median('firstListingSmall', ours),
    direction: 'at most',
    bar: 1.3,
    unit: 'x smallest',
  },
  atMost('idle memory of the daemon, resident', 'idleDaemon', 130, 'MB'),
  atMost('idle memory of all processes, proportional', 'idleAll', 170, 'MB'),
  atMost('very large directory, names', 'wideNames', 1, 's'),
  atMost('very large directory, names and stat', 'wideStat', 2, 's'),
  ratio('scan rate', ['scanRate', ours, 'musefs'], 'at least', 1),
  ...remoteBars,
];

/** One verdict for each bar. A figure that is missing, as a peer is not installed, leaves its bar not measured. */
export function judge(figures: Figures): readonly Verdict[] {
  const median: Lookup = (figure, system) => figures[figure]?.[system]?.median ?? Number.NaN;
  return bars.map(({ promise, measure, direction, bar, unit }): Verdict => {
    const measured = measure(median, figures);
    if (Number.isNaN(measured)) return { promise, verdict: 'not measured', bar, direction, unit };
    const isHeld = direction === 'at least' ? measured >= bar : measured <= bar;
    return { promise, verdict: isHeld ? 'held' : 'MISSED', measured, bar, direction, unit };
  });
}
