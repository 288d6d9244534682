// Multistatus documents as servers write them, and as none should.
import { expect, test } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import { encodedPath, listingOf } from '../../../src/origins/webdav-listing.ts';

const file = (href: string, more = '<D:getetag>"e"</D:getetag>', status = 'HTTP/1.1 200 OK') =>
  `<D:response><D:href>${href}</D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>5</D:getcontentlength>
   <D:getlastmodified>Fri, 13 Feb 2009 23:31:30 GMT</D:getlastmodified>${more}</D:prop><D:status>${status}</D:status></D:propstat></D:response>`;
const folder = (href: string) =>
  `<D:response><D:href>${href}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`;
const all = (...responses: string[]) =>
  `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>`;
const names = (text: string, path = '/m') => listingOf(text, path).entries.map(({ name }) => name);

test('a file has size, time to the second and etag; a directory neither', () => {
  const { self, entries } = listingOf(all(folder('/m/'), file('/m/a.flac'), folder('/m/CD1/')), '/m');
  expect(self).toEqual({ name: 'm', kind: 'directory', sizeBytes: 0, mtimeNs: '0', etag: null });
  expect(entries).toEqual([
    { name: 'a.flac', kind: 'file', sizeBytes: 5, mtimeNs: '1234567890000000000', etag: '"e"' },
    { name: 'CD1', kind: 'directory', sizeBytes: 0, mtimeNs: '0', etag: null },
  ]);
});

test('hrefs may be whole URLs, with letters as they are, or with entities', () => {
  expect(
    names(all(file('http://nas:80/m/a%20b'), file('/m/ü'), file('/m/a&amp;b'), file('/m/x&#x41;'))),
  ).toEqual(['a b', Buffer.from('ü').toString('latin1'), 'a&b', 'xA']);
});

test('what is not in the directory, or would lead out of it, is left out', () => {
  const hrefs = [
    '/other/a',
    '/m/sub/deep',
    '/m/..',
    '/m/%2e%2e',
    '/m/..%2fx',
    '/m/a%2fb',
    '/m/%00',
    '/mm/a',
    'm/a',
    '/m//',
  ];
  expect(names(all(...hrefs.map((href) => file(href))))).toEqual([]);
});

test('what cannot be looked at is listed as "other", what went meanwhile is left out', () => {
  const about = (status: string) =>
    `<D:response><D:href>/m/b</D:href><D:status>${status}</D:status></D:response>`;
  const kindsOf = (text: string) => listingOf(text, '/m').entries.map(({ kind }) => kind);
  expect(kindsOf(all(file('/m/a', '', 'HTTP/1.1 403 Forbidden')))).toEqual(['other']);
  expect(kindsOf(all(about('HTTP/1.1 403 Forbidden')))).toEqual(['other']);
  expect(kindsOf(all(about('HTTP/1.1 404 Not Found')))).toEqual([]);
});

test('a file of unknown size is not listed as one', () => {
  const unsized = all(file('/m/a').replace(/<D:getcontentlength>5<\/D:getcontentlength>/, ''));
  expect(listingOf(unsized, '/m').entries[0]?.kind).toBe('other');
});

test('any prefix of names, or none, does', () => {
  expect(names(all(file('/m/a')).replaceAll('D:', 'lp1:').replaceAll(':D=', ':lp1='))).toEqual(['a']);
  expect(names(all(file('/m/a')).replaceAll('D:', '').replaceAll('xmlns:D=', 'xmlns='))).toEqual(['a']);
});

test('a document type, a broken document, and one that is no multistatus are refused', () => {
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>';
  for (const text of [
    '',
    'x',
    '<html></html>',
    '<html><body>login<br></body></html>',
    bomb + all(file('/m/&b;')),
    all(file('/m/a')).slice(0, -30),
  ]) {
    expect(() => listingOf(text, '/m')).toThrow(expect.objectContaining({ code: 'origin_unavailable' }));
  }
});

test('a document that ends too early is refused wherever it ends', () => {
  const text = all(folder('/m/'), file('/m/a'), file('/m/b')).replaceAll(/\s+</g, '<');
  for (let length = 0; length < text.length; length += 1) {
    expect(() => listingOf(text.slice(0, length), '/m')).toThrow();
  }
  expect(names(text)).toEqual(['a', 'b']);
});

test('a document type is refused even when nothing of it is used', () => {
  const text = all(file('/m/a')).replace('?>', '?><!DOCTYPE x [<!ENTITY a "b">]>');
  expect(() => listingOf(text, '/m')).toThrow(expect.objectContaining({ code: 'origin_unavailable' }));
});

test('every byte of a path that is not plainly harmless is encoded', () => {
  expect(encodedPath(realPath('a b/ü%#?&+é~'))).toBe('a%20b/%FC%25%23%3F%26%2B%E9~');
});
