// What every origin owes (src/origins/origin.ts), as one suite: each adapter runs it on its real server or disk, and so
// does the in-memory fake of the tests.
//
// A harness gives an origin over an empty place, and a hand that changes this place behind the origin's back. What a
// kind cannot have at all (an object store has no links) is named as a gap; everything else must be there.
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { childPath, type RealPath, realPath, rootRealPath } from '../../../src/library/real-path.ts';
import type { FileVersion, IsWanted, Origin, OriginEntry } from '../../../src/origins/origin.ts';
import { codeOf, errorCodes, MusicfsError } from '../../../src/platform/errors.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';

/** What a kind, or the server it is tried on, has no way to do. */
export type OriginGap =
  | 'links'
  | 'special-files'
  | 'permissions'
  | 'names-not-utf8'
  | 'sparse-files'
  | 'empty-directories'
  | 'set-mtime'
  | 'unreachable'
  | 'restart'
  | 'hang'
  | 'counts-transfers'
  | 'counts-requests';

/** Paths are bytes in latin1 below the root, as in a RealPath; folders that miss are made. */
export interface OriginHarness {
  readonly origin: Origin;
  /** Puts a file, or replaces one in one step (rename), so that whoever has the old one open keeps it. */
  put(path: string, bytes: Uint8Array, mtimeSeconds?: number): Promise<void>;
  remove(path: string): Promise<void>;
  end(): Promise<void>;
  /** Whether a file of that name can be kept there; not given: any. Names of `oddNames` it refuses are left out. */
  canStore?(name: string): boolean;
  /** A file of that size that is all zeros but for `bytes` at `offset`. Gap `sparse-files`. */
  putSparse?(path: string, sizeBytes: number, offset: number, bytes: Uint8Array): Promise<void>;
  /** Gap `empty-directories`. */
  makeDirectory?(path: string): Promise<void>;
  /** `target` as a symbolic link has it. Gap `links`. */
  makeLink?(path: string, target: string): Promise<void>;
  /** A named pipe or the like. Gap `special-files`. */
  makeSpecial?(path: string): Promise<void>;
  /** Takes the origin's right to read a file or to list a directory. Gap `permissions`. */
  forbid?(path: string): Promise<void>;
  /** From now on nobody answers: connections are refused, or the disk is gone. Gap `unreachable`. */
  cut?(): Promise<void>;
  mend?(): Promise<void>;
  /** The server ends and another one stands in its place; resolves when that answers. Gap `restart`. */
  restart?(): Promise<void>;
  /** From now on calls are taken and never answered (a stopped process), until `goOn`. Gap `hang`. */
  hang?(): Promise<void>;
  goOn?(): Promise<void>;
  /** Transfers under way now, as handles, requests or sockets in use. Gap `counts-transfers`. */
  transfers?(): number | Promise<number>;
  /** Requests or system calls, so far. Gap `counts-requests`. */
  requests?(): number;
  /** No error may have any of these in it. */
  readonly secrets?: readonly string[];
}

const inUtf8 = (name: string): string => Buffer.from(name).toString('latin1');

/** Names that are likely to be mangled on a way. */
export const oddNames: readonly string[] = [
  'with space',
  ' leading and trailing ',
  'per%cent',
  '%2F',
  '%zz%',
  'hash#tag',
  'quest?ion=1&b=2',
  'plus+plus',
  'a&b<c>"d\'',
  'semi;colon,comma:colon',
  'back\\slash',
  'brackets[1]{2}(3)',
  'star*tilde~dollar$at@bang!equals=pipe|caret^tick`',
  '..two dots..',
  '...',
  '-dash',
  '&amp;&#65;',
  inUtf8('ü composed'),
  inUtf8('u\u0308 decomposed'),
  inUtf8('日本語 \u{1f3b5}'),
  inUtf8(`${'\u{1f3b5}'.repeat(63)}abc`), // 255 bytes
  'x'.repeat(255),
];

const notUtf8 = Buffer.from([0x66, 0xfc, 0x72, 0x20, 0xff, 0xfe]).toString('latin1');
const everything: IsWanted = () => true;
const unbounded = (): AbortSignal => new AbortController().signal;
const badPaths = ['..', '../x', 'a/../../x', 'a/..', 'a//b', '/a', 'a/', './a', 'a\0b', 'a/\0'] as RealPath[];
const fourGib = 4 * 1024 ** 3;
const small = filler(10_000, 7);

/** Registers the suite. `makeHarness` is called for each test; what it makes is ended with the test. */
export function originContract(
  name: string,
  makeHarness: () => Promise<OriginHarness>,
  gaps: readonly OriginGap[] = [],
): void {
  const without = (...needed: OriginGap[]): boolean => needed.some((gap) => gaps.includes(gap));
  const started = async (): Promise<OriginHarness> => {
    const harness = await makeHarness();
    onTestFinished(() => harness.end());
    return harness;
  };
  /** A test that is there unless the kind has one of the gaps. */
  const check = (
    title: string,
    run: (harness: OriginHarness) => Promise<void>,
    needed: readonly OriginGap[] = [],
  ): void => {
    if (!without(...needed)) test(title, async () => run(await started()));
  };

  describe(`${name} as an origin`, () => {
    describe('what it says of itself', () => {
      check(
        'it has an id, a kind, a name without secrets, and touches nothing before the first call',
        async (h) => {
          expect(h.origin.id).toMatch(/^[a-z0-9-]{1,32}$/);
          expect(h.origin.displayName).not.toBe('');
          for (const secret of h.secrets ?? []) expect(h.origin.displayName).not.toContain(secret);
          if (!without('counts-requests')) expect(given(h, 'requests')()).toBe(0);
        },
      );

      check('it offers nothing that writes', async (h) => {
        const names = new Set<string>();
        for (let at: object = h.origin; at !== Object.prototype; at = Object.getPrototypeOf(at))
          for (const key of Object.getOwnPropertyNames(at)) names.add(key);
        const writing = [...names].filter((key) =>
          /^(write|put|create|make|mkdir|delete|remove|unlink|rename|move|chmod|touch|utimes|lock)/i.test(
            key,
          ),
        );
        expect(writing).toEqual([]);
      });
    });

    describe('listing', () => {
      check(
        'a listing has files with size, time and etag, and directories with neither size nor bytes',
        async (h) => {
          await h.put('a.flac', small);
          await h.put('empty.flac', Buffer.alloc(0));
          await h.put('CD1/x.ogg', small.subarray(0, 10));
          const entries = await listed(h.origin);
          expect(entries.map((e) => [e.name, e.kind, e.sizeBytes])).toEqual([
            ['CD1', 'directory', 0],
            ['a.flac', 'file', 10_000],
            ['empty.flac', 'file', 0],
          ]);
          for (const entry of entries) {
            expect(entry.mtimeNs).toMatch(/^\d+$/);
            if (entry.kind !== 'file') continue;
            expect(entry.mtimeNs).not.toBe('0');
            expect(entry.etag !== null).toBe(h.origin.capabilities.etag);
          }
          expect((await listed(h.origin, realPath('CD1'))).map((e) => e.name)).toEqual(['x.ogg']);
        },
      );

      check('a listing of the root of an empty origin is empty', async (h) => {
        expect(await listed(h.origin)).toEqual([]);
      });

      check(
        'the time of a file is the time it was given',
        async (h) => {
          await h.put('a.flac', small, 1_234_567_890);
          expect((await listed(h.origin))[0]?.mtimeNs).toBe('1234567890000000000');
          expect((await h.origin.stat(realPath('a.flac'), unbounded())).mtimeNs).toBe('1234567890000000000');
        },
        ['set-mtime'],
      );

      check(
        'an empty directory is listed, and its listing is empty',
        async (h) => {
          await given(h, 'makeDirectory')('empty');
          expect((await listed(h.origin)).map((e) => [e.name, e.kind])).toEqual([['empty', 'directory']]);
          expect(await listed(h.origin, realPath('empty'))).toEqual([]);
        },
        ['empty-directories'],
      );

      test('more than 1,000 names come in pages of at most 1,000, each once', {
        timeout: 60_000,
      }, async () => {
        const h = await started();
        const names = Array.from({ length: 1_105 }, (_, at) => `${String(at).padStart(5, '0')}.mp3`);
        for (let at = 0; at < names.length; at += 40) {
          await Promise.all(
            names.slice(at, at + 40).map((file) => h.put(`many/${file}`, small.subarray(0, 3))),
          );
        }
        await h.put('many/sub/x.mp3', small.subarray(0, 3));
        const seen: OriginEntry[] = [];
        for await (const page of h.origin.list(realPath('many'), everything, unbounded())) {
          expect(page.length).toBeLessThanOrEqual(1_000);
          seen.push(...page);
        }
        expect(seen.map((e) => e.name).sort()).toEqual([...names, 'sub']);
        expect(seen.every((e) => e.kind === 'directory' || e.sizeBytes === 3)).toBe(true);
      });

      check('a filter leaves out files, never directories', async (h) => {
        await h.put('a.flac', small);
        await h.put('b.jpg', small);
        await h.put('c.jpg/d.flac', small);
        const asked: string[] = [];
        const entries = await listed(h.origin, rootRealPath, (file) => {
          asked.push(file);
          return file.endsWith('.flac');
        });
        expect(entries.map((e) => e.name)).toEqual(['a.flac', 'c.jpg']);
        expect(asked).toContain('b.jpg');
        expect((await listed(h.origin, rootRealPath, () => false)).map((e) => e.name)).toEqual(['c.jpg']);
      });

      check('a directory that is not there is not found, unless the kind knows no directories', async (h) => {
        await h.put('a.flac', small);
        for (const path of ['gone', 'gone/deeper', 'a.flac', 'a.fla', 'a.flac/x'].map(realPath)) {
          if (h.origin.kind === 's3') expect(await listed(h.origin, path)).toEqual([]);
          else expect(await failure(h, listed(h.origin, path))).toBe('not_found');
        }
      });

      check('odd names come as their bytes, and lead back to their files', async (h) => {
        const names = oddNames.filter((odd) => h.canStore?.(odd) ?? true);
        await inTurn(names, async (odd, at) => {
          await h.put(odd, filler(100 + at, at + 1));
          await h.put(`in/${odd}/${odd}`, filler(200 + at, at + 1));
        });
        expect((await listed(h.origin)).map((e) => e.name)).toEqual([...names, 'in'].sort());
        expect((await listed(h.origin, realPath('in'))).map((e) => e.name)).toEqual([...names].sort());
        await inTurn(names, async (odd, at) => {
          const path = realPath(odd);
          const entry = await h.origin.stat(path, unbounded());
          expect([entry.name, entry.kind, entry.sizeBytes]).toEqual([odd, 'file', 100 + at]);
          expectBytes(await read(h.origin, path, entry), filler(100 + at, at + 1));
          const folder = childPath(realPath('in'), odd);
          expect((await listed(h.origin, folder)).map((e) => [e.name, e.sizeBytes])).toEqual([
            [odd, 200 + at],
          ]);
          const inner = childPath(folder, odd);
          expectBytes(
            await read(h.origin, inner, await h.origin.stat(inner, unbounded())),
            filler(200 + at, at + 1),
          );
        });
      });

      check(
        'a name that is not UTF-8 comes as its bytes, and leads back to its file',
        async (h) => {
          await h.put(`${notUtf8}/${notUtf8}`, small);
          const folder = realPath(notUtf8);
          expect((await listed(h.origin)).map((e) => e.name)).toEqual([notUtf8]);
          expect((await listed(h.origin, folder)).map((e) => e.name)).toEqual([notUtf8]);
          const path = childPath(folder, notUtf8);
          expectBytes(await read(h.origin, path, await h.origin.stat(path, unbounded())), small);
        },
        ['names-not-utf8'],
      );

      check('a listing sees what was put, replaced and removed', async (h) => {
        await h.put('a.flac', small);
        await h.put('b.flac', small);
        const before = await listed(h.origin);
        await h.remove('a.flac');
        await h.put('b.flac', small.subarray(0, 5), 1_000_000_000);
        await h.put('c.flac', small);
        const after = await listed(h.origin);
        expect(before.map((e) => [e.name, e.sizeBytes])).toEqual([
          ['a.flac', 10_000],
          ['b.flac', 10_000],
        ]);
        expect(after.map((e) => [e.name, e.sizeBytes])).toEqual([
          ['b.flac', 5],
          ['c.flac', 10_000],
        ]);
      });
    });

    describe('a look', () => {
      check('a look says what the listing said', async (h) => {
        await h.put('CD1/x.ogg', small);
        const [entry] = await listed(h.origin, realPath('CD1'));
        expect(await h.origin.stat(realPath('CD1/x.ogg'), unbounded())).toEqual(entry);
        const folder = await h.origin.stat(realPath('CD1'), unbounded());
        expect([folder.name, folder.kind, folder.sizeBytes]).toEqual(['CD1', 'directory', 0]);
        expect((await h.origin.stat(rootRealPath, unbounded())).kind).toBe('directory');
      });

      check('what is not there is not found', async (h) => {
        await h.put('a.flac', small);
        await h.put('ab/c.flac', small);
        for (const path of ['gone', 'gone/x', 'a.flac/x', 'a', 'ab/c', 'A.FLAC'].map(realPath)) {
          if (path === 'A.FLAC' && !h.origin.capabilities.caseSensitive) continue;
          expect(await failure(h, h.origin.stat(path, unbounded()))).toBe('not_found');
        }
        await h.remove('a.flac');
        expect(await failure(h, h.origin.stat(realPath('a.flac'), unbounded()))).toBe('not_found');
      });
    });

    describe('reading', () => {
      check('a range is exactly its bytes, wherever it lies', async (h) => {
        const bytes = filler(300_000, 3);
        await h.put('a.flac', bytes);
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        const ranges = [
          [0, 300_000],
          [0, 1],
          [0, 65_536],
          [1, 1],
          [65_535, 2],
          [131_071, 70_001],
          [299_999, 1],
          [299_990, 10],
          [100_000, 0],
        ] as const;
        await inTurn(ranges, async ([offset, length]) => {
          expectBytes(
            await read(h.origin, path, version, offset, length),
            bytes.subarray(offset, offset + length),
          );
        });
      });

      check('the end is clamped to the size, and nothing lies at the end or behind it', async (h) => {
        await h.put('a.flac', small);
        await h.put('empty.flac', Buffer.alloc(0));
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        expectBytes(await read(h.origin, path, version, 9_990, 1_000_000), small.subarray(9_990));
        expectBytes(await read(h.origin, path, version, 0, Number.MAX_SAFE_INTEGER), small);
        for (const offset of [10_000, 10_001, 5_000_000_000]) {
          expectBytes(await read(h.origin, path, version, offset, 100), Buffer.alloc(0));
        }
        const empty = realPath('empty.flac');
        const nothing = await h.origin.stat(empty, unbounded());
        expectBytes(await read(h.origin, empty, nothing, 0, 100), Buffer.alloc(0));
        expectBytes(await read(h.origin, empty, nothing, 1, 100), Buffer.alloc(0));
      });

      check(
        'offsets above 4 GiB are right',
        async (h) => {
          const size = fourGib + 1_000_000;
          await given(h, 'putSparse')('big.wav', size, fourGib - 5_000, small);
          const path = realPath('big.wav');
          const version = await h.origin.stat(path, unbounded());
          expect(version.sizeBytes).toBe(size);
          expect((await listed(h.origin))[0]?.sizeBytes).toBe(size);
          expectBytes(await read(h.origin, path, version, fourGib - 5_000, 10_000), small);
          expectBytes(await read(h.origin, path, version, fourGib, 100), small.subarray(5_000, 5_100));
          expectBytes(await read(h.origin, path, version, size - 3, 100), Buffer.alloc(3));
          expectBytes(await read(h.origin, path, version, size, 100), Buffer.alloc(0));
        },
        ['sparse-files'],
      );

      check("the buffers are the receiver's: writing into one changes no other", async (h) => {
        const bytes = filler(1_000_000, 4);
        await h.put('a.flac', bytes);
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        const kept: Buffer[] = [];
        const given: Uint8Array[] = [];
        for await (const chunk of h.origin.readRange(path, version, 0, 1_000_000, unbounded())) {
          expect(chunk.length).toBeGreaterThan(0);
          kept.push(Buffer.from(chunk));
          chunk.fill(0xee);
          given.push(chunk);
        }
        expect(Buffer.concat(kept).equals(bytes)).toBe(true);
        expect(given.every((chunk) => chunk.every((byte) => byte === 0xee))).toBe(true);
        expect((await read(h.origin, path, version)).equals(bytes)).toBe(true);
      });

      check('a file with another size is another version', async (h) => {
        await h.put('a.flac', small, 1_000_000_000);
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        await h.put('a.flac', small.subarray(0, 6_000), 1_000_000_000);
        expect(await failure(h, read(h.origin, path, version))).toBe('version_gone');
        expect(await failure(h, read(h.origin, path, version, 8_000, 100))).toBe('version_gone');
        await h.put('a.flac', filler(20_000, 9), 1_000_000_000);
        expect(await failure(h, read(h.origin, path, version, 0, 100))).toBe('version_gone');
      });

      check(
        'a file with other bytes of the same length and another time or etag is another version',
        async (h) => {
          await h.put('a.flac', small, 1_000_000_000);
          const path = realPath('a.flac');
          const version = await h.origin.stat(path, unbounded());
          await h.put('a.flac', filler(10_000, 8), 1_000_000_100);
          expect(await failure(h, read(h.origin, path, version))).toBe('version_gone');
          expect(await failure(h, read(h.origin, path, version, 9_999, 1))).toBe('version_gone');
          expectBytes(await read(h.origin, path, await h.origin.stat(path, unbounded())), filler(10_000, 8));
        },
      );

      check('a version that never was is refused, by its size, its time and its etag', async (h) => {
        await h.put('a.flac', small);
        const path = realPath('a.flac');
        const { sizeBytes, mtimeNs, etag } = await h.origin.stat(path, unbounded());
        const wrong: FileVersion[] = [
          { sizeBytes: sizeBytes + 1, mtimeNs, etag },
          { sizeBytes: sizeBytes - 1, mtimeNs, etag },
          { sizeBytes, mtimeNs: String(BigInt(mtimeNs) - 5_000_000_000n), etag: null },
        ];
        if (etag !== null) wrong.push({ sizeBytes, mtimeNs, etag: '"0123456789abcdef"' });
        await inTurn(wrong, async (version) => {
          expect(await failure(h, read(h.origin, path, version, 0, 100))).toBe('version_gone');
        });
        expectBytes(
          await read(h.origin, path, { sizeBytes, mtimeNs, etag: null }, 5, 10),
          small.subarray(5, 15),
        );
      });

      check('a file that is gone is not found', async (h) => {
        await h.put('a.flac', small);
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        await h.remove('a.flac');
        expect(await failure(h, read(h.origin, path, version))).toBe('not_found');
      });

      check(
        'a file replaced while it is read gives its old bytes or fails, never a mix and never less',
        async (h) => {
          const old = filler(8_000_000, 5);
          await h.put('a.flac', old, 1_000_000_000);
          const path = realPath('a.flac');
          const version = await h.origin.stat(path, unbounded());
          const got: Buffer[] = [];
          let code = 'whole';
          try {
            for await (const chunk of h.origin.readRange(path, version, 0, old.length, unbounded())) {
              if (got.length === 0) await h.put('a.flac', filler(8_000_000, 6), 1_000_000_100);
              got.push(Buffer.from(chunk));
            }
          } catch (error) {
            code = codeOf(error);
          }
          const bytes = Buffer.concat(got);
          expect(bytes.equals(old.subarray(0, bytes.length))).toBe(true);
          if (bytes.length < old.length || code !== 'whole')
            expect(['version_gone', 'origin_unavailable', 'not_found']).toContain(code);
          expect(await failure(h, read(h.origin, path, version, 0, 10))).toBe('version_gone');
        },
      );

      test('50 ranges at once are each right', { timeout: 60_000 }, async () => {
        const h = await started();
        const bytes = filler(2_000_000, 11);
        await h.put('a.flac', bytes);
        await h.put('b.flac', bytes.subarray(0, 1_000_000));
        const [a, b] = [realPath('a.flac'), realPath('b.flac')];
        const versions = [await h.origin.stat(a, unbounded()), await h.origin.stat(b, unbounded())];
        const reads = Array.from({ length: 50 }, async (_, at) => {
          const version = versions[at % 2];
          if (version === undefined) throw new Error('no version');
          const offset = at * 19_997;
          const got = await read(h.origin, at % 2 === 0 ? a : b, version, offset, 100_001);
          return got.equals(bytes.subarray(offset, Math.min(offset + 100_001, version.sizeBytes)));
        });
        expect(await Promise.all(reads)).toEqual(reads.map(() => true));
      });
    });

    describe('what is refused', () => {
      check('a path that leads out, or is none, is refused before anything is asked', async (h) => {
        const before = without('counts-requests') ? 0 : given(h, 'requests')();
        const version = { sizeBytes: 10, mtimeNs: '0', etag: null };
        for (const path of badPaths) {
          expect(await failure(h, listed(h.origin, path))).toBe('invalid_argument');
          expect(await failure(h, h.origin.stat(path, unbounded()))).toBe('invalid_argument');
          expect(await failure(h, read(h.origin, path, version, 0, 1))).toBe('invalid_argument');
        }
        if (!without('counts-requests')) expect(given(h, 'requests')()).toBe(before);
      });

      check('a range that is none is refused', async (h) => {
        await h.put('a.flac', small);
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        for (const [offset, length] of [
          [-1, 5],
          [0, -1],
          [0.5, 1],
          [Number.NaN, 1],
          [0, Number.POSITIVE_INFINITY],
        ] as const)
          expect(await failure(h, read(h.origin, path, version, offset, length))).toBe('invalid_argument');
      });

      check(
        'a link is listed as one and never followed, in the root or out of it',
        async (h) => {
          const makeLink = given(h, 'makeLink');
          await h.put('CD1/x.ogg', small);
          await makeLink('again.ogg', 'CD1/x.ogg');
          await makeLink('folder', 'CD1');
          await makeLink('out', '/etc');
          await makeLink('passwd', '/etc/passwd');
          await makeLink('circle', '.');
          await makeLink('dangling', 'nowhere');
          const links = ['again.ogg', 'circle', 'dangling', 'folder', 'out', 'passwd'];
          expect((await listed(h.origin)).map((e) => [e.name, e.kind])).toEqual([
            ['CD1', 'directory'],
            ...links.map((link) => [link, 'link']),
          ]);
          for (const link of links)
            expect((await h.origin.stat(realPath(link), unbounded())).kind).toBe('link');
          const version = await h.origin.stat(realPath('CD1/x.ogg'), unbounded());
          for (const path of ['again.ogg', 'folder/x.ogg', 'out/passwd', 'passwd', 'circle/CD1/x.ogg'].map(
            realPath,
          )) {
            expect(isPermanentOrGone(await failure(h, read(h.origin, path, version, 0, 10)))).toBe(true);
          }
          for (const path of ['folder', 'out', 'circle/CD1'].map(realPath)) {
            expect(isPermanentOrGone(await failure(h, listed(h.origin, path)))).toBe(true);
          }
          for (const path of ['folder/x.ogg', 'out/passwd'].map(realPath)) {
            expect(isPermanentOrGone(await failure(h, h.origin.stat(path, unbounded())))).toBe(true);
          }
        },
        ['links'],
      );

      check(
        'what is neither file, directory nor link is "other", and is not read',
        async (h) => {
          await given(h, 'makeSpecial')('pipe.flac');
          expect((await listed(h.origin)).map((e) => [e.name, e.kind, e.sizeBytes])).toEqual([
            ['pipe.flac', 'other', 0],
          ]);
          const path = realPath('pipe.flac');
          const version = await h.origin.stat(path, unbounded());
          expect(version.kind).toBe('other');
          const code = await within(
            1_000,
            failure(h, read(h.origin, path, { ...version, sizeBytes: 10 }, 0, 10)),
          );
          expect(isPermanentOrGone(code)).toBe(true);
        },
        ['special-files'],
      );

      check(
        'what may not be read is denied, which is not the same as not being there',
        async (h) => {
          await h.put('closed/a.flac', small);
          await h.put('b.flac', small);
          const version = await h.origin.stat(realPath('b.flac'), unbounded());
          await given(h, 'forbid')('closed');
          await given(h, 'forbid')('b.flac');
          expect(await failure(h, listed(h.origin, realPath('closed')))).toBe('permission_denied');
          expect(await failure(h, read(h.origin, realPath('b.flac'), version, 0, 10))).toBe(
            'permission_denied',
          );
          expect(await failure(h, h.origin.stat(realPath('c.flac'), unbounded()))).toBe('not_found');
        },
        ['permissions'],
      );
    });

    describe('ends', () => {
      check('a call with a signal that is aborted does nothing', async (h) => {
        await h.put('a.flac', small);
        const path = realPath('a.flac');
        const version = await h.origin.stat(path, unbounded());
        const before = without('counts-requests') ? 0 : given(h, 'requests')();
        const aborted = AbortSignal.abort();
        for (const call of everyCall(h.origin, path, version))
          expect(await failure(h, call(aborted))).toBe('cancelled');
        if (!without('counts-requests')) expect(given(h, 'requests')()).toBe(before);
      });

      check('an abort ends a transfer within a second and gives back what it held', async (h) => {
        const path = await putLarge(h);
        const version = await h.origin.stat(path, unbounded());
        const reasons = [
          [undefined, 'cancelled'],
          [new MusicfsError('deadline_exceeded', 'too slow'), 'deadline_exceeded'],
        ] as const;
        for (const [reason, code] of reasons) {
          const controller = new AbortController();
          const bytes = h.origin.readRange(path, version, 0, version.sizeBytes, controller.signal);
          const chunks = bytes[Symbol.asyncIterator]();
          expect((await chunks.next()).done).toBe(false);
          controller.abort(reason);
          expect(await within(1_000, failure(h, exhausted(chunks)))).toBe(code);
          await nothingHeld(h);
        }
        expect((await read(h.origin, path, version, 5, 10)).length).toBe(10);
      });

      check('leaving the loop early ends the transfer', async (h) => {
        const path = await putLarge(h);
        const version = await h.origin.stat(path, unbounded());
        for (let round = 0; round < 10; round += 1) {
          for await (const chunk of h.origin.readRange(path, version, 0, version.sizeBytes, unbounded())) {
            expect(chunk.length).toBeGreaterThan(0);
            break;
          }
        }
        await nothingHeld(h);
        expect((await read(h.origin, path, version, 5, 10)).length).toBe(10);
        for await (const page of h.origin.list(rootRealPath, everything, unbounded())) {
          expect(page.length).toBeGreaterThan(0);
          break;
        }
        await nothingHeld(h);
      });

      check('a reader that is never asked for its first byte holds nothing', async (h) => {
        const path = await putLarge(h);
        const version = await h.origin.stat(path, unbounded());
        h.origin.readRange(path, version, 0, version.sizeBytes, unbounded());
        await h.origin.readRange(path, version, 0, 10, unbounded())[Symbol.asyncIterator]().return?.();
        await nothingHeld(h);
      });

      check(
        'calls that nobody answers end within a second of their abort',
        async (h) => {
          await h.put('a.flac', small);
          const path = realPath('a.flac');
          const version = await h.origin.stat(path, unbounded());
          await given(h, 'hang')();
          try {
            const calls = everyCall(h.origin, path, version).map(async (call) => {
              const controller = new AbortController();
              const ended = failure(h, call(controller.signal));
              const first = await Promise.race([
                ended,
                new Promise((resolve) => setTimeout(resolve, 100, 'waits')),
              ]);
              controller.abort();
              return [first, await within(1_000, ended)];
            });
            for (const [first, code] of await Promise.all(calls)) {
              expect(first).toBe('waits');
              expect(code).toBe('cancelled');
            }
          } finally {
            await given(h, 'goOn')();
          }
          await nothingHeld(h);
          expectBytes(await read(h.origin, path, version, 5, 10), small.subarray(5, 15));
        },
        ['hang'],
      );

      check(
        'while it cannot be reached every call says so, and afterwards all is as before',
        async (h) => {
          await h.put('a.flac', small);
          const path = realPath('a.flac');
          const version = await h.origin.stat(path, unbounded());
          await h.origin.probe(unbounded());
          await given(h, 'cut')();
          for (const call of everyCall(h.origin, path, version)) {
            expect(await within(5_000, failure(h, call(unbounded())))).toBe('origin_unavailable');
          }
          await given(h, 'mend')();
          await h.origin.probe(unbounded());
          expect(await listed(h.origin)).toHaveLength(1);
          expectBytes(await read(h.origin, path, version), small);
        },
        ['unreachable'],
      );

      check(
        'a restart of the server between two calls is not noticed',
        async (h) => {
          await h.put('a.flac', small);
          const path = realPath('a.flac');
          const version = await h.origin.stat(path, unbounded());
          await Promise.all([1, 2, 3].map(() => read(h.origin, path, version)));
          for (const call of everyCall(h.origin, path, version)) {
            await given(h, 'restart')();
            await call(unbounded());
          }
          expectBytes(await read(h.origin, path, version), small);
        },
        ['restart'],
      );

      check('a probe of an origin that is well resolves, also several at once', async (h) => {
        await h.origin.probe(unbounded());
        await h.put('a.flac', small);
        await Promise.all([1, 2, 3, 4, 5].map(() => h.origin.probe(unbounded())));
      });

      check('it closes within two seconds, twice, and calls under way fail', async (h) => {
        const path = await putLarge(h);
        const version = await h.origin.stat(path, unbounded());
        const chunks = h.origin
          .readRange(path, version, 0, version.sizeBytes, unbounded())
          [Symbol.asyncIterator]();
        await chunks.next();
        await within(2_000, h.origin.close());
        expect(isFailure(await within(2_000, failure(h, exhausted(chunks))))).toBe(true);
        await within(2_000, h.origin.close());
        await nothingHeld(h);
      });

      check('an origin that was never used closes too', async (h) => {
        await within(2_000, h.origin.close());
      });
    });

    /** A file of which a good part is still to come when its first buffer has arrived. */
    async function putLarge(h: OriginHarness): Promise<RealPath> {
      if (without('sparse-files')) await h.put('large.wav', Buffer.alloc(48 * 1024 * 1024, 1));
      else await given(h, 'putSparse')('large.wav', fourGib, 0, small);
      return realPath('large.wav');
    }

    async function nothingHeld(h: OriginHarness): Promise<void> {
      if (without('counts-transfers')) return;
      await eventually('no transfer is under way', async () => (await given(h, 'transfers')()) === 0, 1_000);
    }
  });
}

/** A part of the harness that no gap excuses. */
function given<K extends keyof OriginHarness>(
  harness: OriginHarness,
  part: K,
): NonNullable<OriginHarness[K]> {
  const value = harness[part];
  if (value === undefined || value === null)
    throw new Error(`the harness lacks "${part}", which no gap names`);
  return (typeof value === 'function' ? value.bind(harness) : value) as NonNullable<OriginHarness[K]>;
}

/** Entries of a listing, by name. */
async function listed(
  origin: Origin,
  directory: RealPath = rootRealPath,
  isWanted: IsWanted = everything,
  signal = unbounded(),
): Promise<OriginEntry[]> {
  const entries: OriginEntry[] = [];
  for await (const page of origin.list(directory, isWanted, signal)) entries.push(...page);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function read(
  origin: Origin,
  path: RealPath,
  version: FileVersion,
  offset = 0,
  lengthBytes = version.sizeBytes,
  signal = unbounded(),
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of origin.readRange(path, version, offset, lengthBytes, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same bytes. Says where they differ: a comparison of long buffers, printed, takes minutes. */
function expectBytes(got: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(got, expected) === 0) return;
  const at = got.findIndex((byte, index) => byte !== expected[index]);
  expect(`${got.length} bytes, wrong from ${at < 0 ? got.length : at} on`).toBe(`${expected.length} bytes`);
}

/** Each kind of call that asks the origin something. */
function everyCall(
  origin: Origin,
  path: RealPath,
  version: FileVersion,
): ((signal: AbortSignal) => Promise<unknown>)[] {
  return [
    (signal) => listed(origin, rootRealPath, everything, signal),
    (signal) => origin.stat(path, signal),
    (signal) => read(origin, path, version, 0, version.sizeBytes, signal),
    (signal) => origin.probe(signal),
  ];
}

async function exhausted(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  while ((await chunks.next()).done !== true);
}

/** The code a call fails with, which must be of ours; "no failure" when it succeeds. Secrets must not be in it. */
async function failure(harness: OriginHarness, call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'no failure';
  } catch (error) {
    const text = inspect(error, { depth: 10, showHidden: true }) + String(error);
    for (const secret of harness.secrets ?? []) expect(text).not.toContain(secret);
    if (codeOf(error) === 'internal') throw error;
    return codeOf(error);
  }
}

function isFailure(code: string): boolean {
  return code in errorCodes && code !== 'internal';
}

/** A code that says: this is not to be had here, and asking again will not help. */
function isPermanentOrGone(code: string): boolean {
  return [
    'not_found',
    'permission_denied',
    'invalid_argument',
    'unsupported_operation',
    'version_gone',
  ].includes(code);
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function inTurn<T>(items: readonly T[], run: (item: T, at: number) => Promise<void>): Promise<void> {
  for (const [at, item] of items.entries()) await run(item, at);
}
