import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { folderGroupOf, groupFolderOf } from '../../../src/library/folder-group.ts';
import { foldName } from '../../../src/library/names.ts';
import { realPath } from '../../../src/library/real-path.ts';
import { compareBytes, sameTextKey } from '../../../src/library/same-text.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';

const anyCharacter = fc.integer({ min: 1, max: 0x10ffff }).map((point) => String.fromCodePoint(point));

const group = (path: string, album?: string, originId = 'nas') =>
  folderGroupOf({ originId, realPath: realPath(path), tags: album === undefined ? {} : { album } });

describe('the folder that a file counts to', () => {
  it.each([
    ['Album/01.flac', 'Album'],
    ['Album/CD1/01.flac', 'Album'],
    ['Album/cd 2/01.flac', 'Album'],
    ['Album/Disc 2 - Live/01.flac', 'Album'],
    ['Album/DISC-03/01.flac', 'Album'],
    ['Album/Disk_1/01.flac', 'Album'],
    ['Album/disque 2/01.flac', 'Album'],
    ['Album/vol. 3/01.flac', 'Album'],
    ['Album/Volume 12/01.flac', 'Album'],
    ['Album/CD 1 of 2/01.flac', 'Album'],
    ['Album/[CD1]/01.flac', 'Album'],
    ['Album/CD #1/01.flac', 'Album'],
    ['Box/Vol 1/CD2/01.flac', 'Box/Vol 1'],
    ['CD1/01.flac', ''],
    ['01.flac', ''],
    ['Album/CD/01.flac', 'Album/CD'],
    ['Album/CDs 1/01.flac', 'Album/CDs 1'],
    ['Album/CD1a/01.flac', 'Album/CD1a'],
    ['Album/Discography 2/01.flac', 'Album/Discography 2'],
    ['Album/The Wall CD1/01.flac', 'Album/The Wall CD1'],
    ['Album/Vol 2001/01.flac', 'Album/Vol 2001'],
    ['Album/Scans/01.flac', 'Album/Scans'],
  ])('of %s is %j', (path, folder) => {
    expect(groupFolderOf(realPath(path))).toBe(folder);
  });
});

describe('the group of a file', () => {
  it('is that of its folder, its discs and its album, whatever the case, accents and spaces', () => {
    const one = group('A/CD1/01.flac', 'Déjà  Vu');
    expect(one).not.toBeNull();
    expect(group('A/cd2/x.mp3', 'deja vu')).toBe(one);
    expect(group('A/x.mp3', 'DEJAVU ')).toBe(one);
  });

  it('is another for another album, folder or origin', () => {
    const keys = [
      group('A/1.flac', 'X'),
      group('A/1.flac', 'Y'),
      group('B/1.flac', 'X'),
      group('a/1.flac', 'X'),
      group('A/Sub/1.flac', 'X'),
      group('A/1.flac', 'X', 'usb'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not exist without an album', () => {
    expect(group('A/1.flac')).toBeNull();
  });

  it('cannot be imitated by names that hold the marks of a key', () => {
    expect(group('a/b/1.flac', 'c')).not.toBe(group('a/1.flac', 'b/c'));
    const text = fc.string({ unit: fc.constantFrom(...'a"\\,/[]'), minLength: 1, maxLength: 5 });
    const part = text.map((name) => name.replaceAll(/^\/+|\/+$|\/(?=\/)/g, '_'));
    fc.assert(
      fc.property(part, part, text, text, (a, b, x, y) => {
        fc.pre(a !== b || x !== y);
        expect(group(`${a}/1.flac`, x)).not.toBe(group(`${b}/1.flac`, y));
      }),
      printedSeed('group keys'),
    );
  });
});

describe('two texts', () => {
  it.each([
    ['Straße', 'STRASSE'],
    ['Beyoncé', 'BEYONCE'],
    ['Sigur  Rós', 'SigurRos'],
    ['Ёлка', 'елка'],
    ['!!!', '!!!'],
  ])('%j and %j are the same', (a, b) => {
    expect(sameTextKey(a)).toBe(sameTextKey(b));
  });

  it.each([
    ['हम', 'हमी'],
    ['ハ', 'バ'],
    ['ABC', 'AB C D'],
    ['!!!', '!!'],
    ['Don\u2019t', 'Dont'],
  ])('%j and %j are not', (a, b) => {
    expect(sameTextKey(a)).not.toBe(sameTextKey(b));
  });

  it('are the same when a directory cannot hold both, and never nothing', () => {
    const text = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom(...'aAeé\u0301 ßẞsSσςΣİiı '), minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        if (foldName(a) === foldName(b)) expect(sameTextKey(a)).toBe(sameTextKey(b));
        expect(sameTextKey(a) === '').toBe(a === '');
        expect(sameTextKey(a.toUpperCase().toLowerCase())).toBe(sameTextKey(a.toLowerCase()));
      }),
      printedSeed('same texts'),
    );
  });

  it('are ordered by their bytes', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'é', '\uffee', '\u{1f600}', '\u{1f601}', '\u{20000}'),
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
      printedSeed('byte order'),
    );
  });
});
