import { constants } from 'node:os';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { codeOf, errnoOf, errorCodes, MusicfsError } from '../../../src/platform/errors.ts';

describe('the table of errors', () => {
  it.each(Object.entries(errorCodes))(
    '%s has an errno and a gRPC status that exist',
    (_code, { errno, grpc }) => {
      if (errno !== null) expect(Object.keys(constants.errno)).toContain(errno);
      expect(Object.keys(status)).toContain(grpc);
    },
  );

  it('never shows a reader ETIMEDOUT or ESTALE', () => {
    const errnos = Object.values(errorCodes).map(({ errno }) => errno as string | null);
    expect(errnos).not.toContain('ETIMEDOUT');
    expect(errnos).not.toContain('ESTALE');
  });
});

describe('the code of a thrown value', () => {
  it.each([
    [new MusicfsError('overloaded', 'x'), 'overloaded'],
    [AbortSignal.abort().reason, 'cancelled'],
    [new DOMException('', 'TimeoutError'), 'deadline_exceeded'],
    [new TypeError('x'), 'internal'],
    ['text', 'internal'],
  ])('%s is %s', (value, code) => {
    expect(codeOf(value)).toBe(code);
  });
});

it('an errno is read from system errors only', () => {
  expect(errnoOf(Object.assign(new Error(), { code: 'ENOENT' }))).toBe('ENOENT');
  expect(errnoOf(Object.assign(new Error(), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined();
  expect(errnoOf(new Error())).toBeUndefined();
  expect(errnoOf(null)).toBeUndefined();
});
