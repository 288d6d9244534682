// The matrix in whole or in part: a mount for each kind, some of them at once, and what came of it as a table.
import { type Cell, nameOf, wireKinds } from './cells.ts';
import { WireServers } from './wire-places.ts';
import { type CellResult, runCells, type WireOptions } from './wire-run.ts';

/** What shows in minutes what takes half an hour with the real deadlines: short ones, and short faults. */
export const shortWire = {
  faultMs: 2_000,
  originLimits: { callMs: 5_000, firstByteMs: 1_500, stallMs: 1_500, probeMs: 3_000 },
  readMs: 12_000,
  walkMs: 1_000,
} as const;

/** The real deadlines: 30 s for a read, and what the readers themselves need. */
export const wholeWire = { faultMs: 8_000, originLimits: null, readMs: 32_000, walkMs: 1_000 } as const;

/** Cells that one mount can go through: of those that do not come back, each ends its mount. */
function mountsOf(cells: readonly Cell[]): Cell[][] {
  const mounts: Cell[][] = [];
  for (const kind of wireKinds) {
    const own = cells.filter((cell) => cell.kind === kind);
    // A local disk that is read where it lies keeps nothing: its cold cells are a mount of their own.
    const groups = kind === 'local' ? [own.filter(isCold), own.filter((cell) => !isCold(cell))] : [own];
    for (const group of groups) {
      const [first = [], ...others] = group.filter(({ fault }) => fault === 'gone').map((cell) => [cell]);
      const back = [...group.filter(({ fault }) => fault !== 'gone'), ...first];
      mounts.push(...[back, ...others].filter(({ length }) => length > 0));
    }
  }
  return mounts;
}

const isCold = ({ state }: Cell): boolean => state === 'cold';

export interface MatrixResult {
  readonly seed: number;
  readonly cells: readonly CellResult[];
  /** What must not be, one line each. */
  readonly broken: readonly string[];
  readonly tookMs: number;
}

/** Runs all cells, `atOnce` mounts at a time. */
export async function runMatrix(
  cells: readonly Cell[],
  atOnce: number,
  options: WireOptions,
): Promise<MatrixResult> {
  const beganMs = performance.now();
  const servers = await WireServers.start();
  const results: CellResult[] = [];
  const broken: string[] = [];
  const left = mountsOf(cells);
  const work = async () => {
    for (let mount = left.shift(); mount !== undefined; mount = left.shift()) {
      const [first] = mount;
      if (first === undefined) continue;
      try {
        await runCells(servers, first.kind, mount, {
          ...options,
          onCell: (result) => {
            results.push(result);
            options.onCell?.(result);
          },
        });
      } catch (error) {
        broken.push(
          `${first.kind}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    await servers.end();
  }
  broken.push(...results.flatMap((result) => result.broken));
  if (results.length < cells.length && options.signal?.aborted !== true)
    broken.push(`${cells.length - results.length} of ${cells.length} cells did not run`);
  return { seed: options.seed, cells: results, broken, tookMs: Math.round(performance.now() - beganMs) };
}

export function describeMatrix({ seed, cells, broken, tookMs }: MatrixResult): string {
  const head = ['cell', 'reads', 'EIO', 'turned bits', 'longest ms', 'walk ms', 'well after ms', ''];
  const rows = cells.map(({ cell, report, wellMs, broken: own }) => [
    nameOf(cell),
    ...[report.reads, report.refused, report.flipped, report.longestMs, report.longestWalkMs, wellMs].map(
      String,
    ),
    own.length === 0 ? 'holds' : 'BROKEN',
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  const end = broken.length === 0 ? ['every cell holds'] : ['BROKEN', ...broken];
  return [`seed ${seed} · ${cells.length} cells · ${Math.round(tookMs / 1000)} s`, ...lines, '', ...end].join(
    '\n',
  );
}
