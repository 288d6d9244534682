import { describe, expect, it } from 'vitest';
import { parseChildLine } from '../../../src/tags/parse-outcome.ts';

const parsed = {
  type: 'parsed',
  sizeBytes: 10,
  mtimeNs: '1700000000000000000',
  tags: { title: 'T', artists: ['A'], track: 3, lossless: true, custom: { KEY: ['v'] } },
  fileFp: null,
  audioFp: '0123456789abcdef',
  state: 'ok',
  tagBytes: 10,
  fingerprintBytes: 0,
  requests: 1,
};

describe('a line of a child', () => {
  it('is taken when it has the agreed form, without what it adds', () => {
    expect(parseChildLine(JSON.stringify(parsed))).toEqual(parsed);
    const more = { ...parsed, path: '/etc/passwd', tags: { ...parsed.tags, evil: 1 } };
    expect(parseChildLine(JSON.stringify(more))).toEqual(parsed);
    const reads = { tagBytes: 0, fingerprintBytes: 0, requests: 0 };
    const others = [
      { type: 'not-music', ...reads },
      { type: 'needs', offset: 9, lengthBytes: 8, ...reads },
      { type: 'vanished', code: 'ENOENT', ...reads },
      { type: 'failed', sizeBytes: 0, mtimeNs: '0', reason: 'r', audioFp: null, ...reads },
    ];
    for (const other of others) expect(parseChildLine(JSON.stringify(other))).toEqual(other);
  });

  it.each<[string, unknown]>([
    ['no object', 7],
    ['another type', { ...parsed, type: 'pwned' }],
    ['a negative size', { ...parsed, sizeBytes: -1 }],
    ['a size that is no whole number', { ...parsed, sizeBytes: 1.5 }],
    ['a time that is no number', { ...parsed, mtimeNs: 'now' }],
    ['an identity of another form', { ...parsed, audioFp: '../../etc' }],
    ['an object in a text field', { ...parsed, tags: { title: { toString: 'x' } } }],
    ['a text in a list field', { ...parsed, tags: { artists: 'A' } }],
    ['a number that is none', { ...parsed, tags: { track: null } }],
    ['a value beyond its limit', { ...parsed, tags: { title: 'x'.repeat(70_000) } }],
    ['a list beyond its limit', { ...parsed, tags: { artists: Array.from({ length: 600 }, () => 'a') } }],
    [
      'too many custom tags',
      {
        ...parsed,
        tags: { custom: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`K${at}`, ['v']])) },
      },
    ],
    [
      'an errno of another form',
      { type: 'vanished', code: 'rm -rf', tagBytes: 0, fingerprintBytes: 0, requests: 0 },
    ],
  ])('is refused with %s', (_, value) => {
    expect(parseChildLine(JSON.stringify(value))).toBeNull();
  });

  it('is refused when it is no JSON', () => {
    expect(parseChildLine('{')).toBeNull();
    expect(parseChildLine('')).toBeNull();
  });
});
