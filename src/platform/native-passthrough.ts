// System calls for letting the kernel read files itself: backing files of a FUSE session, and views through which nothing
// is written. See native.ts for what holds for all calls.
import { close } from 'node:fs';
import koffi from 'koffi';
import { orErrno } from './native.ts';

const libc = koffi.load(null);
const nativeIoctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
const nativeOpenTree = libc.func('long syscall(long number, long dirfd, const char *path, long flags)');
const nativeMountSetattr = libc.func(
  'long syscall(long number, long fd, const char *path, long flags, void *attributes, size_t size)',
);

// include/uapi/linux/fuse.h: _IOW(229, 1, struct fuse_backing_map), _IOW(229, 2, u32)
const backingOpenRequest = 0x4010e501;
const backingCloseRequest = 0x4004e502;
const backingMap = Buffer.alloc(16);

/**
 * FUSE_DEV_IOC_BACKING_OPEN: lets the kernel read a file itself for the session of `deviceFd`; `fd` may be closed
 * afterwards. Returns the backing id (from 1) or a negative errno: EPERM without CAP_SYS_ADMIN in the initial
 * namespace, ELOOP for a file that lies on stacked file systems, EOPNOTSUPP for none that can be read.
 */
export function openBacking(deviceFd: number, fd: number): number {
  backingMap.fill(0);
  backingMap.writeInt32LE(fd, 0);
  return orErrno(nativeIoctl(deviceFd, backingOpenRequest, backingMap));
}

/** FUSE_DEV_IOC_BACKING_CLOSE. Files opened through that id read on. Returns 0 or a negative errno. */
export function closeBacking(deviceFd: number, backingId: number): number {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(backingId);
  return orErrno(nativeIoctl(deviceFd, backingCloseRequest, id));
}

const openTreeNumber = 428; // the same on every architecture, as is the next
const mountSetattrNumber = 442;
const openTreeClone = 1;
const atEmptyPath = 0x1000;
const attributeReadOnly = 0x1f; // RDONLY, NOSUID, NODEV, NOEXEC, NOATIME
const attributeAtime = 0x70; // all that says how access times are kept

/**
 * A private view of one file or directory (without what is mounted below it) through which nothing can be written, not
 * even an access time (open_tree, mount_setattr; Linux 5.12). It keeps its file system in use. Needs CAP_SYS_ADMIN.
 * Returns a descriptor (O_PATH, close-on-exec) or a negative errno. Close it by `closeView`.
 */
export function openTracelessView(pathFd: number): number {
  const flags = openTreeClone | atEmptyPath | 0o2000000;
  const view = orErrno(nativeOpenTree(openTreeNumber, pathFd, '', flags));
  if (view < 0) return view;
  const result = orErrno(
    nativeMountSetattr(mountSetattrNumber, view, '', atEmptyPath, tracelessAttributes, 32),
  );
  if (result < 0) closeView(view);
  return result < 0 ? result : view;
}

/** On the pool: taking a mount apart waits for all processors (45 us), and others that make mounts wait with it. */
export function closeView(view: number): void {
  close(view, () => undefined);
}

const tracelessAttributes = Buffer.alloc(32);
tracelessAttributes.writeUInt32LE(attributeReadOnly, 0);
tracelessAttributes.writeUInt32LE(attributeAtime, 8);
