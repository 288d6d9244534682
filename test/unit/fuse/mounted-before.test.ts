import { expect, it } from 'vitest';
import { pickMount } from '../../../src/fuse/mounted-before.ts';
import { parseMountTable } from '../../../src/platform/mount-table.ts';

const table = parseMountTable(`90 27 0:53 / /mnt/a ro - fuse.musicfs musicfs ro,user_id=1000
91 27 0:54 / /mnt/b ro - fuse./opt/bin/musicfs x ro,user_id=1000
92 27 0:55 / /mnt/c ro - fuse.musicfs musicfs ro,user_id=1001
93 27 0:56 / /mnt/d ro - fuse.sshfs x ro,user_id=1001
`);

it('takes the mount that the kernel names', () => {
  expect(pickMount(54, table, 1000, undefined).point).toBe('/mnt/b');
  expect(pickMount(54, table, 1000, '/mnt/a').point).toBe('/mnt/b');
});

it('refuses a mount that is gone again', () => {
  expect(() => pickMount(57, table, 1000, undefined)).toThrow(/has gone again/);
});

it('takes the only mount of the user where the kernel names none', () => {
  expect(pickMount(null, table, 1001, undefined).point).toBe('/mnt/c');
});

it('takes the claimed one of several, and never guesses', () => {
  expect(pickMount(null, table, 1000, '/mnt/a').point).toBe('/mnt/a');
  expect(() => pickMount(null, table, 1000, undefined)).toThrow(/add mountpoint=PATH to the options/);
  expect(() => pickMount(null, table, 1000, '/mnt/c')).toThrow(/mountpoint=PATH/);
});
