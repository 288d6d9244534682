// Which answers are the range that was asked for.
import { expect, test } from 'vitest';
import { bytesToSkip, exactly } from '../../../src/origins/http-range.ts';
import { retryAfterMs } from '../../../src/origins/retry-after.ts';

const version = { sizeBytes: 100, mtimeNs: '1234567890000000000', etag: '"e"' };
const wanted = { version, offset: 10, end: 30 };
const good = { 'content-range': 'bytes 10-29/100', 'content-length': '20', etag: '"e"' };
const codeOf206 = (headers: Record<string, string>, of = wanted) => {
  try {
    return bytesToSkip({ status: 206, headers }, of);
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const codeOf200 = (headers: Record<string, string>) => {
  try {
    return bytesToSkip({ status: 200, headers }, wanted);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('the range itself needs nothing skipped', () => {
  expect(codeOf206(good)).toBe(0);
  expect(codeOf206({ ...good, 'content-encoding': 'identity' })).toBe(0);
  expect(codeOf206({ ...good, etag: 'W/"e"' })).toBe(0);
  expect(codeOf206({ 'content-range': 'bytes 10-29/*' })).toBe(0);
});

test('another range, length or encoding is a failure of the origin', () => {
  for (const wrong of [
    { 'content-range': 'bytes 9-28/100' },
    { 'content-range': 'bytes 10-28/100', 'content-length': '19' },
    { 'content-range': 'bytes 10-30/100', 'content-length': '21' },
    { 'content-range': '' },
    { 'content-range': 'bytes 10-29' },
    { 'content-length': '19' },
    { 'content-length': '21' },
    { 'content-encoding': 'gzip' },
  ])
    expect(codeOf206({ ...good, ...wrong })).toBe('origin_unavailable');
});

test('another size, etag or, without etag, time is another version', () => {
  expect(codeOf206({ ...good, 'content-range': 'bytes 10-29/101' })).toBe('version_gone');
  expect(codeOf206({ ...good, etag: '"f"' })).toBe('version_gone');
  const { etag: _, ...bare } = good;
  expect(codeOf206({ ...bare, 'last-modified': 'Fri, 13 Feb 2009 23:31:30 GMT' })).toBe(0);
  expect(codeOf206({ ...bare, 'last-modified': 'Fri, 13 Feb 2009 23:31:31 GMT' })).toBe('version_gone');
  expect(codeOf206({ ...good, 'last-modified': 'Fri, 13 Feb 2009 23:31:31 GMT' })).toBe(0);
});

test('the whole file is skipped into, if it is the file', () => {
  expect(codeOf200({ etag: '"e"', 'content-length': '100' })).toBe(10);
  expect(codeOf200({ etag: '"f"', 'content-length': '100' })).toBe('version_gone');
  expect(codeOf200({ etag: '"e"', 'content-length': '101' })).toBe('version_gone');
  expect(codeOf200({ 'content-type': 'text/html', 'content-length': '100', etag: '"e"' })).toBe(
    'origin_unavailable',
  );
  expect(codeOf200({ 'content-length': '100' })).toBe('origin_unavailable');
  expect(codeOf200({ etag: '"e"' })).toBe('origin_unavailable');
});

async function given(chunks: string[], skip: number, length: number, isRest: boolean): Promise<string> {
  async function* body() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  let got = '';
  try {
    for await (const part of exactly(body(), skip, length, isRest)) got += Buffer.from(part).toString();
    return got;
  } catch (error) {
    return `${got}!${(error as { code: string }).code}`;
  }
}

test('a body gives exactly its range: fewer or more bytes are failures', async () => {
  expect(await given(['ab', 'cd'], 0, 4, true)).toBe('abcd');
  expect(await given(['ab', '', 'cd'], 1, 2, false)).toBe('bc');
  expect(await given(['ab', 'cd'], 2, 1, false)).toBe('c');
  expect(await given(['ab', 'c'], 0, 4, true)).toBe('abc!origin_unavailable');
  expect(await given([], 0, 1, true)).toBe('!origin_unavailable');
  expect(await given(['ab', 'cde'], 0, 4, true)).toBe('ab!origin_unavailable');
  expect(await given(['abcd', 'e'], 0, 4, true)).toBe('abcd!origin_unavailable');
});

test('a pause is asked for in seconds or until a date', () => {
  expect(retryAfterMs('7', 0)).toBe(7_000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 4_000)).toBe(6_000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 40_000)).toBe(0);
  expect([retryAfterMs('soon', 0), retryAfterMs(undefined, 0)]).toEqual([undefined, undefined]);
});
