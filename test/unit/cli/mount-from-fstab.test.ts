import { expect, it } from 'vitest';
import { parseFstabCall } from '../../../src/cli/mount-from-fstab.ts';

it('reads what mount.fuse3 passes on, and leaves the options of others alone', () => {
  const options = 'ro,noatime,allow_other,state=/var/lib/m,config=/etc/m.toml,mountpoint=/mnt/m,dev,suid';
  expect(parseFstabCall(['/srv/music', '/dev/fd/3', '-o', options])).toEqual({
    source: '/srv/music',
    target: '/dev/fd/3',
    allowOther: true,
    state: '/var/lib/m',
    config: '/etc/m.toml',
    mountPoint: '/mnt/m',
  });
});

it.each([[['/dev/fd/3', '-o', 'ro']], [['', '/dev/fd/3', '-o', 'ro']]])(
  'takes %j as a call without an origin',
  (argv) => {
    expect(parseFstabCall(argv)).toMatchObject({
      source: undefined,
      target: '/dev/fd/3',
      allowOther: false,
    });
  },
);

it('refuses a writable mount, and what mount.fuse3 never passes', () => {
  expect(() => parseFstabCall(['/srv', '/mnt', '-o', 'rw,allow_other'])).toThrow(/add ro to the options/);
  expect(() => parseFstabCall(['-o', 'ro'])).toThrow(/\[SOURCE\] TARGET -o OPTIONS/);
  expect(() => parseFstabCall(['a', 'b', 'c', '-o', 'ro'])).toThrow(/\[SOURCE\] TARGET -o OPTIONS/);
});
