import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';

function numbersOf(value: object, prefix = ''): [name: string, value: unknown][] {
  return Object.entries(value).flatMap(([name, each]): [string, unknown][] =>
    typeof each === 'object' && each !== null
      ? numbersOf(each, `${prefix}${name}.`)
      : [[`${prefix}${name}`, each]],
  );
}

it.each(numbersOf(limits))('%s is a positive number that a double holds exactly', (_, value) => {
  expect(value).toSatisfy(
    (number) => typeof number === 'number' && number > 0 && number <= Number.MAX_SAFE_INTEGER,
  );
});

it('a request of the kernel fits the buffers, whatever it is', () => {
  // FUSE_MIN_READ_BUFFER, and the header of a write of max_write (one page)
  expect(limits.requestBufferBytes).toBeGreaterThanOrEqual(8192 + 4096);
  expect(limits.readRequestBytes % 4096).toBe(0);
  expect(limits.readRequestBytes / 4096).toBeLessThanOrEqual(256); // fs.fuse.max_pages_limit
  expect(limits.readBufferBytes).toBeGreaterThanOrEqual(limits.readRequestBytes);
});

it('what INIT carries in 16 bits fits them, and congestion comes before the end', () => {
  expect(limits.maxBackground).toBeLessThan(2 ** 16);
  expect(limits.congestionThreshold).toBeLessThan(limits.maxBackground);
});

it('a thread counts as hung only after several heartbeats were missed', () => {
  expect(limits.fuseThreadHungMs).toBeGreaterThanOrEqual(3 * limits.fusePollMs);
});

it('a failure is remembered for less time than a read may take, so that it is tried again', () => {
  expect(limits.failedRangeMs).toBeLessThan(limits.readDeadlineMs);
});

it('no timer is set further ahead than timers go', () => {
  for (const name of ['readDeadlineMs', 'originFileIdleMs', 'fusePollMs', 'fuseThreadHungMs'] as const)
    expect(limits[name]).toBeLessThan(2 ** 31);
});
