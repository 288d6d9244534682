import { expect, it } from 'vitest';
import { isMusicfs, mountAt, parseMountTable } from '../../../src/platform/mount-table.ts';

const table = `22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
90 27 0:53 / /mnt/my\\040music\\134 ro,nosuid,nodev shared:5 master:3 - fuse.musicfs musicfs ro,user_id=0
91 90 0:54 / /mnt/my\\040music\\134 ro - ext4 /dev/sda1 ro
`;

it('reads id, path and type, with any number of optional fields', () => {
  expect(parseMountTable(table)).toEqual([
    { id: 22, device: '0:21', point: '/proc', fsType: 'proc', ownerUid: null, isShared: true },
    { id: 90, device: '0:53', point: '/mnt/my music\\', fsType: 'fuse.musicfs', ownerUid: 0, isShared: true },
    { id: 91, device: '0:54', point: '/mnt/my music\\', fsType: 'ext4', ownerUid: null, isShared: false },
  ]);
});

it('sees the topmost of several mounts at one path', () => {
  expect(mountAt('/mnt/my music\\', parseMountTable(table))?.fsType).toBe('ext4');
  expect(mountAt('/mnt', parseMountTable(table))).toBeUndefined();
});

it.each([
  ['fuse.musicfs', true],
  ['fuse./opt/my\\040apps/bin/musicfs', true], // made by mount.fuse3
  ['fuse.notmusicfs', false],
  ['fuse.sshfs', false],
])('takes a mount of type %s for one of ours: %s', (fsType, isOurs) => {
  const [mount] = parseMountTable(`90 27 0:53 / /m ro - ${fsType} musicfs ro,user_id=1000,group_id=1000`);
  expect(isMusicfs(mount)).toBe(isOurs);
  expect(mount?.ownerUid).toBe(1000);
});
