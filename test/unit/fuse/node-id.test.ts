import fc from 'fast-check';
import { expect, it } from 'vitest';
import { highHalf, lowHalf, nodeIdFrom } from '../../../src/fuse/protocol/node-id.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

it('a node id keeps every inode and every version apart, in 64 bits', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer({ min: 0, max: 2 ** 40 - 1 }),
        fc.constantFrom(1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1),
      ),
      fc.oneof(fc.integer({ min: 0, max: 2 ** 23 - 1 }), fc.constantFrom(0, 1, 255, 256, 2 ** 23 - 1)),
      (id, version) => {
        const low = lowHalf({ id, version });
        const high = highHalf({ id, version });
        expect((BigInt(high) << 32n) | BigInt(low)).toBe((BigInt(version) << 40n) | BigInt(id));
        expect(nodeIdFrom(low, high)).toEqual({ id, version });
      },
    ),
    { ...printedSeed('node ids'), numRuns: 20_000 },
  );
});

it('the root is node 1 in version 0', () => {
  expect(nodeIdFrom(1, 0)).toEqual({ id: 1, version: 0 });
});
