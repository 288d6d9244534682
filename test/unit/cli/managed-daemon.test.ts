import { expect, it } from 'vitest';
import { unitIn } from '../../../src/cli/managed-daemon.ts';

const ofService = '/system.slice/system-musicfs.slice/musicfs@jazz.service';

it.each([
  ['the unified hierarchy', `0::${ofService}\n`, 'musicfs@jazz.service'],
  ['the hierarchies of old', `9:name=systemd:${ofService}\n1:cpu:/\n0::/\n`, 'musicfs@jazz.service'],
  ['a group below the unit', `0::${ofService}/payload\n`, 'musicfs@jazz.service'],
  ['another controller', '4:memory:/other.service\n0::/system.slice/musicfs.service\n', 'musicfs.service'],
  ["a user's manager", '0::/user.slice/user-1000.slice/user@1000.service/app.slice/musicfs.service\n', null],
  ['a session', '0::/user.slice/user-0.slice/session-1.scope\n', null],
  ['nothing', '', null],
])('R-17: the unit of a process is told from its groups: %s', (_what, cgroups, unit) => {
  expect(unitIn(cgroups)).toBe(unit);
});
