import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { forgetSession, loadSession, saveSession } from '../../../src/fuse/session-record.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const negotiated = {
  minor: 45,
  flags: 0x40002000,
  flags2: 128,
  maxReadahead: 1_048_576,
  maxPages: 256,
  hasResend: true,
  hasPassthrough: true,
  hasNoOpendir: true,
};

it('a record is found again for the same mount, and for no other', () => {
  const state = temporaryDirectory();
  expect(loadSession(state, '0:53')).toBeNull();
  saveSession(state, '0:53', negotiated);
  expect(loadSession(state, '0:53')).toEqual(negotiated);
  expect(loadSession(state, '0:54')).toBeNull();
});

it('a record of another boot is not for us', () => {
  const state = temporaryDirectory();
  saveSession(state, '0:53', negotiated);
  const file = path.join(state, 'session.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...record, bootId: 'another' }));
  expect(loadSession(state, '0:53')).toBeNull();
});

it.each(['', '{', '{}', '{"format":2}', 'null'])('a damaged record (%j) is none', (text) => {
  const state = temporaryDirectory();
  writeFileSync(path.join(state, 'session.json'), text);
  expect(loadSession(state, '0:53')).toBeNull();
});

it('a forgotten record is gone, also when there was none', () => {
  const state = temporaryDirectory();
  forgetSession(state);
  saveSession(state, '0:53', negotiated);
  forgetSession(state);
  expect(loadSession(state, '0:53')).toBeNull();
});
