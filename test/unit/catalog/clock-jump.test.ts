// what the catalog makes of times of files when the wall clock has jumped.
import { expect, test } from 'vitest';
import { ClockWatch } from '../../../src/platform/clock-watch.ts';
import { limits } from '../../../src/platform/limits.ts';
import { LibraryCatalog, track } from '../../fixtures/library-catalog.ts';
import { SimulatedClock } from '../supervision/simulated-clock.ts';

const hour = 3_600_000;
const day = 24 * hour;
const place = 'Artist/Album [FLAC]/00 - A.flac';
const nsOf = (ms: number) => String(BigInt(ms) * 1_000_000n);

function catalogUnder(clock: SimulatedClock): LibraryCatalog {
  const catalog = new LibraryCatalog('/music', undefined, new ClockWatch(clock));
  catalog.nowMs = clock.wallMs();
  return catalog;
}

test.each([hour, -hour, day, -day])(
  'R-32: after a jump by %i ms the files written around it are read, and no others',
  (byMs) => {
    const clock = new SimulatedClock();
    const catalog = catalogUnder(clock);
    const old = track('old', 'Old', { mtimeNs: nsOf(clock.wallMs() - 100 * day) });
    const fresh = track('a', 'A', { mtimeNs: nsOf(clock.wallMs()) });
    catalog.publish(old, fresh);
    expect(catalog.compare(old, fresh)).toEqual([]);
    clock.jumpWall(byMs);
    catalog.nowMs = Math.max(catalog.nowMs, clock.wallMs());
    expect(catalog.compare(old, fresh)).toEqual(['a.flac']);
  },
);

test('R-32: a file that turns out to be the same is no change; other audio under the same time and size is a new version', () => {
  const clock = new SimulatedClock();
  const catalog = catalogUnder(clock);
  const file = track('a', 'A', { mtimeNs: nsOf(clock.wallMs()), audioFp: '1111111111111111' });
  catalog.publish(file);
  expect(catalog.publish(file)).toMatchObject({ added: 0, changed: 0, hasInvalidations: false });
  expect(catalog.at(place).version).toBe(1);
  const rewritten = catalog.publish({ ...file, audioFp: '2222222222222222' });
  expect(rewritten).toMatchObject({ changed: 1, hasInvalidations: true });
  expect(catalog.at(place).version).toBe(2);
});

test('R-32: a clock that starts in the past makes no file lie in the future', () => {
  const clock = new SimulatedClock();
  const catalog = catalogUnder(clock);
  const file = track('a', 'A', { mtimeNs: nsOf(clock.wallMs()) });
  catalog.publish(file);
  clock.jumpWall(-50 * 365 * day);
  const later = new LibraryCatalog('/music', catalog.directory, new ClockWatch(clock));
  later.nowMs = clock.wallMs();
  expect(later.compare(file)).toEqual([]);
});

test('R-32: tombstones outlive a jump by more than their time', () => {
  const clock = new SimulatedClock();
  const catalog = catalogUnder(clock);
  catalog.publish(track('a', 'A'), track('b', 'B'));
  const [first] = catalog.list(catalog.at('Artist/Album [FLAC]').id);
  catalog.remove('a');
  clock.jumpWall(2 * limits.tombstoneMs);
  catalog.nowMs = clock.wallMs();
  catalog.publisher.finishScan('music', ['/']);
  const after = catalog.reader.page(catalog.at('Artist/Album [FLAC]').id, first?.entryId ?? 0, 10);
  expect(after.map(({ name }) => name)).toEqual(['00 - B.flac']);
});

test('R-32: the time of a publication never goes back', () => {
  const clock = new SimulatedClock();
  const catalog = catalogUnder(clock);
  catalog.publish(track('a', 'A'));
  const before = catalog.at('Artist');
  catalog.nowMs -= day;
  catalog.publish(track('c', 'C', { tags: { album: 'Other' } }));
  const after = catalog.at('Artist');
  expect([after.mtimeSeconds, after.mtimeNanoseconds] > [before.mtimeSeconds, before.mtimeNanoseconds]).toBe(
    true,
  );
});
