import { expect, test } from 'vitest';
import {
  fingerprintOf,
  judgeHostKey,
  keyTypeOf,
  knownHostsLine,
  knownKeyTypes,
  nameInKnownHosts,
  parseKnownHosts,
} from '../../../src/origins/known-hosts.ts';

// Made with ssh-keygen, and hashed with ssh-keygen -H.
const ed = 'AAAAC3NzaC1lZDI1NTE5AAAAIFjnLJKTAYZsBUi6T7V6hN9bkLJXZ8phmzV6U2pYz1Gc';
const otherEd = 'AAAAC3NzaC1lZDI1NTE5AAAAIOYDu2eAiT3vYb/y//p28PXWe6PhupvIebtOcCwHFAz8';
const ecdsa =
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMhM6vDPEK18h9s8mWt1D35lccNk7ro225/tfCx2tM4vjxqr7uXuLH6vtadz3icfdkWjZIclCyXS/4dTZfMnTCQ=';
const hashedNas = '|1|amNcQLHkc2sutyQ7tqL98YTMRzY=|GHau1IhYQII3Y3dtjPMqXVPZbY4=';
const hashedNasOn2222 = '|1|94mbnfaDXKB6IB1851VNMjFi/XI=|WySdaEzti57qCacuSaOP+wZhiIQ=';
const fingerprint = 'SHA256:Nb+0jSW57CD7B4kjnNGvUcrgGYW/1r7y8ln9ApLxx78';

const key = Buffer.from(ed, 'base64');
const otherKey = Buffer.from(otherEd, 'base64');
const ecdsaKey = Buffer.from(ecdsa, 'base64');
const judge = (text: string, name: string, shown = key) =>
  judgeHostKey(parseKnownHosts(text, 'f'), name, shown).type;

test('a host is known by its key, and by nothing else', () => {
  const file = `# comment\n\n  nas.home,10.0.0.2 ssh-ed25519 ${ed} me@somewhere else\n`;
  expect(judge(file, 'nas.home')).toBe('known');
  expect(judge(file, '10.0.0.2')).toBe('known');
  expect(judge(file, 'nas.hom')).toBe('new');
  expect(judge(file, 'xnas.home')).toBe('new');
  expect(judge(file, 'nasxhome')).toBe('new');
  expect(judge(file, 'nas.home', otherKey)).toBe('changed');
  expect(judge('', 'nas.home')).toBe('new');
});

test('the port is always part of the name', () => {
  expect(nameInKnownHosts('NAS.home', 22)).toBe('nas.home');
  expect(nameInKnownHosts('NAS.home', 2222)).toBe('[nas.home]:2222');
  expect(nameInKnownHosts('::1', 2222)).toBe('[::1]:2222');
  const file = `nas.home ssh-ed25519 ${ed}\n[other]:2222 ssh-ed25519 ${ed}`;
  expect(judge(file, nameInKnownHosts('nas.home', 2222))).toBe('new');
  expect(judge(file, nameInKnownHosts('other', 22))).toBe('new');
  expect(judge(file, nameInKnownHosts('other', 2222))).toBe('known');
});

test('hashed names are found, with and without a port', () => {
  const file = `${hashedNas} ssh-ed25519 ${ed}\n${hashedNasOn2222} ssh-ed25519 ${otherEd}\n`;
  expect(judge(file, 'nas.home')).toBe('known');
  expect(judge(file, '[nas.home]:2222', otherKey)).toBe('known');
  expect(judge(file, '[nas.home]:2222')).toBe('changed');
  expect(judge(file, 'nas.hom')).toBe('new');
});

test('patterns stand for many hosts, and an excluded one is not meant', () => {
  const file = `*.home,!bad.home,n?s ssh-ed25519 ${ed}`;
  expect(judge(file, 'nas.home')).toBe('known');
  expect(judge(file, 'bad.home')).toBe('new');
  expect(judge(file, 'nas')).toBe('known');
  expect(judge(file, 'naas')).toBe('new');
  expect(judge(`!nas ssh-ed25519 ${ed}`, 'nas')).toBe('new');
  expect(judge(`[*]:2222 ssh-ed25519 ${ed}`, '[nas]:2222')).toBe('known');
});

test('several keys of one host are all right', () => {
  const file = `nas ssh-ed25519 ${ed}\nnas ssh-ed25519 ${otherEd}`;
  expect(judge(file, 'nas')).toBe('known');
  expect(judge(file, 'nas', otherKey)).toBe('known');
});

test('a key of another type than the known ones is a change, and the known types are told', () => {
  const lines = parseKnownHosts(`nas ssh-ed25519 ${ed}\n@revoked nas ecdsa-sha2-nistp256 ${ecdsa}\n`, 'f');
  expect(knownKeyTypes(lines, 'nas')).toEqual(['ssh-ed25519']);
  expect(knownKeyTypes(lines, 'other')).toEqual([]);
  expect(judge(`nas ssh-ed25519 ${ed}`, 'nas', ecdsaKey)).toBe('changed');
});

test('a revoked key is refused, whatever else is said of it', () => {
  const file = `nas ssh-ed25519 ${ed}\n@revoked * ssh-ed25519 ${ed}`;
  const verdict = judgeHostKey(parseKnownHosts(file, 'hosts'), 'nas', key);
  expect(verdict).toMatchObject({ type: 'revoked', by: { place: 'hosts:2' } });
  expect(judge(`@revoked nas ssh-ed25519 ${ed}`, 'nas', otherKey)).toBe('new');
});

test('an authority makes no key known; a key that is known by itself needs none', () => {
  const file = `@cert-authority *.home ssh-ed25519 ${otherEd}`;
  expect(judge(file, 'nas.home')).toBe('authority');
  expect(judge(file, 'nas.home', otherKey)).toBe('authority');
  expect(judge(file, 'elsewhere')).toBe('new');
  expect(judge(`${file}\nnas.home ssh-ed25519 ${ed}`, 'nas.home')).toBe('known');
});

test.each([
  ['nas ssh-ed25519', 'no key'],
  [`nas ssh-rsa ${ed}`, 'another type than the key has'],
  [`nas ssh-ed25519 ${ed.slice(0, 10)}`, 'a key cut short'],
  ['nas ssh-ed25519 AAAA!', 'no base64'],
  [`@odd nas ssh-ed25519 ${ed}`, 'an unknown marker'],
  [`|1|AAAA|AAAA ssh-ed25519 ${ed}`, 'a hash of the wrong length'],
  [`|2|${hashedNas.slice(3)} ssh-ed25519 ${ed}`, 'a hash of another kind'],
  [`nas,,b ssh-ed25519 ${ed}`, 'an empty name'],
  ['<<<<<<< HEAD', 'no line at all'],
])('%s: %s spoils the file, and the line is named', (line) => {
  expect(() => parseKnownHosts(`other ssh-ed25519 ${ed}\n${line}\n`, 'hosts')).toThrow(/^hosts:2: /);
});

test('a line of protocol 1 and a type of tomorrow are no mistakes', () => {
  const tomorrow = Buffer.concat([Buffer.from([0, 0, 0, 5]), Buffer.from('ssh-x'), Buffer.alloc(8)]).toString(
    'base64',
  );
  const file = `old 2048 65537 1234567\nnew ssh-x ${tomorrow}\r\nnas ssh-ed25519 ${ed}\r\n`;
  expect(judge(file, 'nas')).toBe('known');
  expect(judge(file, 'old')).toBe('new');
});

test('a key is shown as ssh-keygen shows it, and its line is one that makes it known', () => {
  expect(fingerprintOf(key)).toBe(fingerprint);
  expect(keyTypeOf(key)).toBe('ssh-ed25519');
  expect(keyTypeOf(Buffer.alloc(3))).toBeNull();
  const line = knownHostsLine('[nas]:2222', key);
  expect(line).toBe(`[nas]:2222 ssh-ed25519 ${ed}`);
  expect(judge(line, '[nas]:2222')).toBe('known');
});
