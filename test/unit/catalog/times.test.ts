import { expect, it } from 'vitest';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';

const instantOf = ({ mtimeSeconds, mtimeNanoseconds }: { mtimeSeconds: number; mtimeNanoseconds: number }) =>
  BigInt(mtimeSeconds) * 1_000_000_000n + BigInt(mtimeNanoseconds);

it('2.6, 2.7: a publication is later than the one before, also when the wall clock was set back', () => {
  const catalog = new LibraryCatalog();
  catalog.publish(track('a', 'One'));
  const directory = [...catalog.tree().entries()].find(([name]) => name.endsWith('[FLAC]/'))?.[1].id ?? 0;
  const before = catalog.reader.node(directory);
  catalog.nowMs -= 3_600_000;
  catalog.publish(track('b', 'Two'));
  const after = catalog.reader.node(directory);
  if (before === undefined || after === undefined) throw new Error('no album directory');
  expect(instantOf(after)).toBeGreaterThan(instantOf(before));
  expect(after.ctimeSeconds).toBeGreaterThanOrEqual(before.ctimeSeconds);
});
