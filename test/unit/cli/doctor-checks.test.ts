import { expect, it } from 'vitest';
import { examine } from '../../../src/cli/doctor-checks.ts';
import type { MachineFacts } from '../../../src/cli/machine-facts.ts';

const sound: MachineFacts = {
  nodeVersion: '24.21.0',
  fuseDeviceError: null,
  kernelRelease: '6.12.5-amd64',
  uid: 0,
  hasSetpriv: true,
  requestTimeouts: { default_request_timeout: 0, max_request_timeout: 0 },
  mounts: [{ point: '/mnt/music', state: 'alive' }],
  fusermount: null,
  hasNoNewPrivileges: false,
  mayUsersAllowOthers: false,
  isContainer: false,
  sharedMountPoints: [],
  maxPagesLimit: 256,
  isPassthroughBuilt: true,
  hasSysAdmin: true,
  isInitialUserNamespace: true,
};

/** An ordinary user to whom nothing is missing but what is asked for (passthrough is never theirs). */
const user: Partial<MachineFacts> = {
  uid: 1000,
  fusermount: { file: '/usr/bin/fusermount3', isSetuid: true },
  mayUsersAllowOthers: true,
};

it('finds nothing wrong with a sound machine', () => {
  expect(examine(sound).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
});

it.each<[string, Partial<MachineFacts>, string, 'warn' | 'fail', RegExp]>([
  ['an old Node', { nodeVersion: '20.1.0' }, 'node', 'fail', /npm ci/],
  ['a missing FUSE device', { fuseDeviceError: 'ENOENT' }, 'fuse device', 'fail', /modprobe fuse/],
  ['a closed FUSE device', { fuseDeviceError: 'EACCES' }, 'fuse device', 'fail', /chmod/],
  ['a kernel before 6.9', { kernelRelease: '6.8.12' }, 'kernel', 'warn', /6\.9/],
  ['a user without fusermount3', { ...user, fusermount: null }, 'right to mount', 'fail', /install fuse3/],
  [
    'a fusermount3 without its setuid bit',
    { ...user, fusermount: { file: '/usr/bin/fusermount3', isSetuid: false } },
    'right to mount',
    'fail',
    /--reinstall fuse3/,
  ],
  [
    'a user who can gain no privileges',
    { ...user, hasNoNewPrivileges: true },
    'right to mount',
    'fail',
    /NoNewPrivileges=no/,
  ],
  ['a root without CAP_SYS_ADMIN', { hasSysAdmin: false }, 'right to mount', 'fail', /--cap-add SYS_ADMIN/],
  [
    'a user who may not let others in',
    { ...user, mayUsersAllowOthers: false },
    'allow_other',
    'warn',
    /echo user_allow_other \| sudo tee -a \/etc\/fuse\.conf/,
  ],
  [
    'a user who may not read fuse.conf',
    { ...user, mayUsersAllowOthers: null },
    'allow_other',
    'warn',
    /chmod 644/,
  ],
  [
    'a container that shares nothing',
    { isContainer: true },
    'propagation',
    'warn',
    /bind-propagation=rshared/,
  ],
  [
    'a kernel with small requests',
    { maxPagesLimit: 32 },
    'request size',
    'warn',
    /sysctl -w fs\.fuse\.max_pages_limit=256/,
  ],
  [
    'a kernel built without passthrough',
    { isPassthroughBuilt: false },
    'passthrough',
    'warn',
    /CONFIG_FUSE_PASSTHROUGH=y/,
  ],
  ['a user without CAP_SYS_ADMIN', { ...user, hasSysAdmin: false }, 'passthrough', 'warn', /mount as root/],
  ['a user namespace', { isInitialUserNamespace: false }, 'passthrough', 'warn', /without user namespace/],
  [
    'a kernel that limits requests',
    { requestTimeouts: { max_request_timeout: 30 } },
    'request timeout',
    'warn',
    /sysctl -w fs\.fuse\.max_request_timeout=0/,
  ],
  ['a root without setpriv', { hasSetpriv: false }, 'tag parsers', 'warn', /util-linux/],
  ['a dead mount', { mounts: [{ point: '/m', state: 'ENOTCONN' }] }, 'mounts', 'fail', /musicfs unmount \/m/],
  [
    'a silent mount',
    { mounts: [{ point: "/it's", state: 'silent' }] },
    'mounts',
    'warn',
    /unmount '\/it'\\''s'/,
  ],
])('names %s with its cure', (_what, change, check, verdict, cure) => {
  const found = examine({ ...sound, ...change }).filter((one) => one.verdict !== 'ok');
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ check, verdict, cure: expect.stringMatching(cure) });
});

it('takes kernels from 6.9 on as able to resend', () => {
  for (const kernelRelease of ['6.9.0', '6.10.3-rc1', '7.0.0']) {
    expect(examine({ ...sound, kernelRelease })).toContainEqual(
      expect.objectContaining({ check: 'kernel', verdict: 'ok' }),
    );
  }
});

it('finds nothing wrong with a container that shares a folder, a user who lacks nothing, a mount of another user', () => {
  const facts: MachineFacts = {
    ...sound,
    ...user,
    isContainer: true,
    sharedMountPoints: ['/mnt'],
    isPassthroughBuilt: null, // the kernel's configuration is not to be found
    maxPagesLimit: null, // an older kernel
    mounts: [{ point: '/theirs', state: 'EACCES' }],
  };
  expect(examine(facts).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
});
