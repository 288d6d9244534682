// What is shown to a server that asks who we are. The Digest values are those of RFC 7616, section 3.9.1, and RFC 2617.
import { expect, test } from 'vitest';
import { HttpAuth } from '../../../src/origins/http-auth.ts';
import { Secret } from '../../../src/origins/secret.ts';

const mufasa = (password = 'Circle of Life') =>
  new HttpAuth({ type: 'basic', username: new Secret('Mufasa'), password: new Secret(password) });
const partOf = (header: string | undefined, name: string) =>
  new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(header ?? '')?.[1];

test('nothing is shown before the server asks, but a token', () => {
  expect(mufasa().header('GET', '/')).toBeUndefined();
  expect(new HttpAuth(null).header('GET', '/')).toBeUndefined();
  const bearer = new HttpAuth({ type: 'bearer', token: new Secret('abc') });
  expect(bearer.header('GET', '/')).toBe('Bearer abc');
  expect(bearer.learn('Bearer realm="x"', 'Bearer abc')).toBe(false);
});

test('Basic is answered once: a second refusal means that the password is wrong', () => {
  const auth = mufasa('päss:word');
  expect(auth.learn('Basic realm="music", charset="UTF-8"', undefined)).toBe(true);
  const header = auth.header('GET', '/');
  expect(header).toBe(`Basic ${Buffer.from('Mufasa:päss:word').toString('base64')}`);
  expect(auth.learn('Basic realm="music"', header)).toBe(false);
});

test('Digest is preferred to Basic and SHA-256 to MD5, so that the password itself is not shown', () => {
  const auth = mufasa();
  const asked =
    'Basic realm="a, b", Digest realm="r", qop="auth", algorithm=MD5, nonce="n1", Digest realm="r", qop="auth, auth-int", algorithm=SHA-256, nonce="n2"';
  expect(auth.learn(asked, undefined)).toBe(true);
  const header = auth.header('GET', '/dir/index.html');
  expect(header).toMatch(/^Digest /);
  expect([partOf(header, 'nonce'), partOf(header, 'algorithm'), partOf(header, 'nc')]).toEqual([
    'n2',
    'SHA-256',
    '00000001',
  ]);
  expect(partOf(auth.header('GET', '/'), 'nc')).toBe('00000002');
  expect(header).not.toContain('Circle');
});

test('a Digest without qop is the one of RFC 2069', () => {
  const auth = mufasa('CircleOfLife');
  auth.learn(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    undefined,
  );
  const header = auth.header('GET', '/dir/index.html');
  expect(partOf(header, 'response')).toBe('1949323746fe6a43ef61f9606e7febea');
  expect(partOf(header, 'opaque')).toBe('5ccc069c403ebaf9f0171e9517f40e41');
});

test('the same nonce refused again means that the password is wrong, a new one may be tried', () => {
  const auth = mufasa();
  const ask = (nonce: string) => `Digest realm="r", qop="auth", nonce="${nonce}"`;
  expect(auth.learn(ask('n1'), undefined)).toBe(true);
  const header = auth.header('GET', '/');
  expect(auth.learn(ask('n1'), header)).toBe(false);
  expect(auth.learn(ask('n2'), header)).toBe(true);
});

test('what cannot be answered is not tried', () => {
  for (const asked of [
    undefined,
    '',
    'Negotiate',
    'Digest realm="r", qop="auth-int", nonce="n"',
    'Digest realm="r", algorithm=SHA-512-256, nonce="n"',
  ])
    expect(mufasa().learn(asked, undefined)).toBe(false);
});
