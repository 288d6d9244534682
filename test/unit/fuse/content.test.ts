// Which way a read goes when what the catalog says of a file changes while it is open.
import { expect, test } from 'vitest';
import type { Holder } from '../../../src/catalog/locations.ts';
import { Content, type ContentOptions } from '../../../src/fuse/content.ts';
import { realPath } from '../../../src/library/real-path.ts';

const minute = 60_000;
const holder = (originName: string): Holder => ({
  ...{ originName, path: realPath('a.flac'), sizeBytes: 10, mtimeNs: '0', etag: null, isAuthoritative: true },
});

test.each([
  ['nobody', [], 'local'],
  ['a server', [holder('nas')], 'fetch'],
])(
  'a file that was opened where it lies, and that %s holds later, is let go where it was opened',
  (_who, later, way) => {
    let nowMs = 0;
    let holders: readonly Holder[] = [holder('local')];
    const calls: string[] = [];
    const local = {
      readNow: () => calls.push('read'),
      hold: () => calls.push('hold'),
      letGo: () => calls.push('letGo'),
    };
    const content = new Content({
      local,
      remote: { tell: () => undefined },
      chunks: null,
      locations: { holders: () => holders },
      fetched: new Set(['nas']),
      clock: { monotonicMs: () => nowMs },
    } as unknown as ContentOptions);
    content.hold(1, 1);
    holders = later;
    nowMs += minute;
    const said = content.readNow(1, 1, 0, 5, new Uint8Array(5));
    expect(said === 'fetch' ? 'fetch' : 'local').toBe(way);
    content.letGo(1, 1);
    expect(calls).toEqual(way === 'local' ? ['hold', 'read', 'letGo'] : ['hold', 'letGo']);
  },
);
