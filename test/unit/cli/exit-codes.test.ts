import { expect, it } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import { DaemonUnreachable } from '../../../src/control/client-errors.ts';
import { type ErrorCode, MusicfsError } from '../../../src/platform/errors.ts';

it.each<[ErrorCode, number]>([
  ['invalid_argument', 2],
  ['config_invalid', 2],
  ['not_found', 4],
  ['refused', 5],
  ['already_exists', 5],
  ['permission_denied', 5],
  ['unsupported_operation', 5],
  ['deadline_exceeded', 6],
  ['origin_unavailable', 1],
  ['internal', 1],
])('%s ends with %i', (code, expected) => {
  expect(exitCodeOf(new MusicfsError(code, 'text'))).toBe(expected);
});

it('a daemon that does not answer ends with 3', () => {
  expect(exitCodeOf(new DaemonUnreachable('text'))).toBe(3);
});

it('a bug ends with 1', () => {
  expect(exitCodeOf(new TypeError('text'))).toBe(1);
});
