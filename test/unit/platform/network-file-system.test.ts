import { expect, test } from 'vitest';
import { parseMountTable } from '../../../src/platform/mount-table.ts';
import { networkKindOf, networkMountOf } from '../../../src/platform/network-file-system.ts';

test.each([
  ['nfs', 'nfs'],
  ['nfs4', 'nfs'],
  ['cifs', 'smb'],
  ['smb3', 'smb'],
  ['fuse.sshfs', 'local'],
  ['fuse', 'local'],
  ['fuseblk', 'local'],
  ['9p', 'local'],
  ['autofs', 'local'],
  ['ext4', null],
  ['btrfs', null],
  ['tmpfs', null],
  ['nfsd', null],
  ['overlay', null],
])('%s is read as %s', (type, kind) => {
  expect(networkKindOf(type)).toBe(kind);
});

const mounts = parseMountTable(
  [
    '1 0 8:1 / / rw - ext4 /dev/sda1 rw',
    '2 1 0:50 / /mnt/nas rw - nfs4 nas:/music rw',
    '3 2 8:2 / /mnt/nas/usb rw - ext4 /dev/sdb1 rw',
    '4 1 8:3 / /home rw - ext4 /dev/sdc1 rw',
  ].join('\n'),
);

/** Links of a machine; whoever is asked about the share has made a mistake. */
const links: Readonly<Record<string, string>> = {
  '/music': '/mnt/nas/music',
  '/home/me/music': '../../music',
  '/loop': 'loop2',
  '/loop2': '/loop',
};
const at = (path: string) =>
  networkMountOf(path, mounts, (place) => {
    if (`${place}/`.startsWith('/mnt/nas/')) throw new Error(`asked about ${place}`);
    return links[place] ?? null;
  })?.point ?? null;

test('a path at or below a share lies on it, its neighbours do not', () => {
  expect(at('/mnt/nas')).toBe('/mnt/nas');
  expect(at('/mnt/nas/music/CD1')).toBe('/mnt/nas');
  expect(at('/mnt/nas2')).toBeNull();
  expect(at('/mnt')).toBeNull();
  expect(at('/')).toBeNull();
});

test('links are followed to the share, and what is on the share is not asked', () => {
  expect(at('/music')).toBe('/mnt/nas');
  expect(at('/home/me/music/CD1')).toBe('/mnt/nas');
  expect(at('/home/me')).toBeNull();
  expect(at('/loop')).toBeNull();
});

test('a disk that is mounted on a share can only be reached through it', () => {
  expect(at('/mnt/nas/usb/music')).toBe('/mnt/nas');
});

test('the last of several mounts at one place counts', () => {
  const over = [...mounts, ...parseMountTable('5 1 8:9 / /mnt/nas rw - ext4 /dev/sdd1 rw')];
  expect(networkMountOf('/mnt/nas/x', over, () => null)).toBeNull();
});
