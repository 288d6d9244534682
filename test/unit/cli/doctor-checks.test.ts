import { expect, it } from 'vitest';
import { examine, type MachineFacts } from '../../../src/cli/doctor-checks.ts';

const sound: MachineFacts = {
  nodeVersion: '24.21.0',
  fuseDeviceError: null,
  kernelRelease: '6.12.5-amd64',
  uid: 0,
  hasFusermount: false,
  hasSetpriv: true,
  requestTimeouts: { default_request_timeout: 0, max_request_timeout: 0 },
  mounts: [{ point: '/mnt/music', state: 'alive' }],
};

it('finds nothing wrong with a sound machine', () => {
  expect(examine(sound).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
});

it.each<[string, Partial<MachineFacts>, string, 'warn' | 'fail', RegExp]>([
  ['an old Node', { nodeVersion: '20.1.0' }, 'node', 'fail', /npm ci/],
  ['a missing FUSE device', { fuseDeviceError: 'ENOENT' }, 'fuse device', 'fail', /modprobe fuse/],
  ['a closed FUSE device', { fuseDeviceError: 'EACCES' }, 'fuse device', 'fail', /chmod/],
  ['a kernel before 6.9', { kernelRelease: '6.8.12' }, 'kernel', 'warn', /6\.9/],
  ['a user without fusermount3', { uid: 1000 }, 'right to mount', 'fail', /install fuse3/],
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
