// Files for the kernel to read itself, on real files. Needs root: the view of an origin is a mount.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, readSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BackingFiles } from '../../../src/origins/backing-files.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { limits } from '../../../src/platform/limits.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const minute = 60_000;

/** One file of 10,000 bytes as version 1 of node 1, seen by a clock that runs `aheadMs` ahead. */
function backing(aheadMs = 2 * minute, root = temporaryDirectory()) {
  let later = 0;
  let jumped = 0;
  let place = 'a.flac';
  const file = path.join(root, 'a.flac');
  writeFileSync(file, filler(10_000));
  const { mtimeNs, size } = statSync(file, { bigint: true });
  const files = new BackingFiles(
    (id, version) =>
      id === 1 && version === 1
        ? {
            originRoot: root,
            realPath: Buffer.from(place),
            size: Number(size),
            mtimeSeconds: Number(mtimeNs / 1_000_000_000n),
            mtimeNanoseconds: Number(mtimeNs % 1_000_000_000n),
          }
        : undefined,
    {
      ...systemClock,
      wallMs: () => Date.now() + aheadMs + later + jumped,
      monotonicMs: () => systemClock.monotonicMs() + later,
    },
  );
  const opened = async () => {
    const fd = await files.openLater(1, 1);
    if (fd !== null) onTestFinished(() => closeSync(fd));
    return fd;
  };
  onTestFinished(() => files.close());
  return {
    root,
    file,
    files,
    opened,
    wait: (ms: number) => {
      later += ms;
    },
    jump: (ms: number) => {
      jumped += ms;
    },
    place: (name: string) => {
      place = name;
    },
  };
}

test('a whole file that stood still is opened, at once when it is in memory', async () => {
  const { files, file, opened } = backing();
  const fd = await opened();
  const area = Buffer.alloc(10_000);
  expect(readSync(fd ?? -1, area, 0, 10_000, 0)).toBe(10_000);
  expect(area.equals(filler(10_000))).toBe(true);
  statSync(file);
  const now = files.openNow(1, 1);
  expect(typeof now).toBe('number');
  closeSync(Number(now));
});

test('a file changed within the last minute is not, nor one that is no longer what was catalogued', async () => {
  expect(await backing(minute - 5_000).opened()).toBeNull();
  expect(await backing(minute + 5_000).opened()).not.toBeNull();
  const touched = backing();
  utimesSync(touched.file, 1, 1);
  expect(await touched.opened()).toBeNull();
  const future = backing(-minute);
  expect(await future.opened()).toBeNull();
  const other = backing();
  expect([await other.files.openLater(1, 2), other.files.openNow(2, 1)]).toEqual([null, null]);
});

test('R-32: after the clock jumped no file counts as still for a minute, as its time says nothing', async () => {
  const forward = backing(5_000);
  forward.jump(60 * minute);
  expect(await forward.opened()).toBeNull();
  const back = backing(60 * minute);
  back.jump(-30 * minute);
  expect(await back.opened()).toBeNull();
  back.wait(minute);
  expect(await back.opened()).not.toBeNull();
});

test('nothing is written through it: no byte, no time of access', async () => {
  const { file, opened } = backing();
  execFileSync('touch', ['-a', '-d', '2001-01-01', file]);
  const before = statSync(file, { bigint: true }).atimeNs;
  const fd = await opened();
  readSync(fd ?? -1, Buffer.alloc(100), 0, 100, 0);
  execFileSync('sync', ['-f', file]);
  expect(statSync(file, { bigint: true }).atimeNs).toBe(before);
  const again = `/proc/${process.pid}/fd/${fd}`;
  expect(() => execFileSync('bash', ['-c', `: >> ${again}`], { stdio: 'pipe' })).toThrow(
    /Read-only file system/,
  );
});

test('a link that leads out of the origin is refused', async () => {
  const { root, file, opened } = backing();
  const outside = temporaryDirectory();
  writeFileSync(path.join(outside, 'secret'), filler(10_000));
  execFileSync('rm', [file]);
  symlinkSync(path.join(outside, 'secret'), path.join(root, 'a.flac'));
  expect(await opened()).toBeNull();
});

test('a file on a disk mounted below the origin is opened too, and keeps its own disk in use and no other', async () => {
  const { root, files, opened, place } = backing();
  const image = path.join(temporaryDirectory(), 'image');
  const disk = path.join(root, 'disk');
  mkdirSync(disk);
  execFileSync('bash', [
    '-c',
    `truncate -s 4M ${image} && mkfs.ext4 -q ${image} && mount -o loop ${image} ${disk} && cp -p ${root}/a.flac ${disk}`,
  ]);
  onTestFinished(() => {
    spawnSync('umount', ['-l', disk], { stdio: 'ignore' });
  });
  const users = () => execFileSync('losetup', ['-j', image], { encoding: 'utf8' }).trim();
  await opened(); // on the origin's own disk
  place('disk/a.flac');
  const fd = (await files.openLater(1, 1)) ?? -1;
  expect(readSync(fd, Buffer.alloc(10_000), 0, 10_000, 0)).toBe(10_000);
  execFileSync('umount', [disk]);
  expect(users()).not.toBe('');
  closeSync(fd);
  await eventually('the disk is free', () => users() === '');
});

test('an origin on which nothing was opened for a while is let go', async () => {
  const image = path.join(temporaryDirectory(), 'image');
  const disk = temporaryDirectory();
  execFileSync('bash', [
    '-c',
    `truncate -s 4M ${image} && mkfs.ext4 -q ${image} && mount -o loop ${image} ${disk}`,
  ]);
  onTestFinished(() => {
    spawnSync('umount', ['-l', disk], { stdio: 'ignore' });
  });
  const users = () => execFileSync('losetup', ['-j', image], { encoding: 'utf8' }).trim();
  const { files, wait } = backing(2 * minute, disk);
  closeSync((await files.openLater(1, 1)) ?? -1);
  execFileSync('umount', [disk]);
  files.closeIdle();
  expect(users()).not.toBe('');
  wait(limits.originViewIdleMs + 1);
  files.closeIdle();
  await eventually('the disk is free', () => users() === '');
});
