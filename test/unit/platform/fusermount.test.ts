import { expect, it } from 'vitest';
import { allowsOthers } from '../../../src/platform/fusermount.ts';

it.each([
  ['user_allow_other\n', true],
  ['mount_max = 10\n  user_allow_other  # for the player', true],
  ['#user_allow_other\n', false],
  ['user_allow_others\n', false],
  ['', false],
])('takes the configuration %j as one that lets users let others in: %s', (config, isAllowed) => {
  expect(allowsOthers(config)).toBe(isAllowed);
});
