// The wire scenes of `npm run chaos -- --wire`, short: each two of kind, fault and state of the cache meet once.
import { expect, onTestFinished, test } from 'vitest';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { allCells, type Cell, cacheStates, pairwiseCells, wireFaults, wireKinds } from './cells.ts';
import { describeMatrix, runMatrix, shortWire } from './wire-matrix.ts';

const mountsAtOnce = 6;

test('each kind of origin bears each fault: right bytes or EIO in time, names at once, and well again by itself', async () => {
  const { seed } = printedSeed('wire');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const result = await runMatrix(pairwiseCells(), mountsAtOnce, { ...shortWire, seed, signal: stop.signal });
  console.log(describeMatrix(result));
  expect(result.broken).toEqual([]);
  expect(result.cells).toHaveLength(35);
}, 300_000);

test('the cells that are run let each value of one column meet each of another, and there are no fewer that do', () => {
  const cells = pairwiseCells();
  const pairs = (one: keyof Cell, other: keyof Cell) =>
    new Set(cells.map((cell) => `${cell[one]} ${cell[other]}`)).size;
  expect(pairs('kind', 'fault')).toBe(wireKinds.length * wireFaults.length);
  expect(pairs('kind', 'state')).toBe(wireKinds.length * cacheStates.length);
  expect(pairs('fault', 'state')).toBe(wireFaults.length * cacheStates.length);
  expect(cells).toHaveLength(wireKinds.length * wireFaults.length);
  expect(allCells()).toHaveLength(105);
});
