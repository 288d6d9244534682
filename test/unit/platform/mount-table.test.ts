import { expect, it } from 'vitest';
import { mountAt, parseMountTable } from '../../../src/platform/mount-table.ts';

const table = `22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
90 27 0:53 / /mnt/my\\040music\\134 ro,nosuid,nodev shared:5 master:3 - fuse.musicfs musicfs ro,user_id=0
91 90 0:54 / /mnt/my\\040music\\134 ro - ext4 /dev/sda1 ro
`;

it('reads id, path and type, with any number of optional fields', () => {
  expect(parseMountTable(table)).toEqual([
    { id: 22, device: '0:21', point: '/proc', fsType: 'proc' },
    { id: 90, device: '0:53', point: '/mnt/my music\\', fsType: 'fuse.musicfs' },
    { id: 91, device: '0:54', point: '/mnt/my music\\', fsType: 'ext4' },
  ]);
});

it('sees the topmost of several mounts at one path', () => {
  expect(mountAt('/mnt/my music\\', parseMountTable(table))?.fsType).toBe('ext4');
  expect(mountAt('/mnt', parseMountTable(table))).toBeUndefined();
});
