// System calls about mounts, through koffi: mounting, unmounting, and taking over the descriptor of a session that
// another program opened. Layouts are those of Linux on x64 and arm64, glibc and musl (little-endian, LP64).
import koffi from 'koffi';
import { errnoName, orErrno, systemError } from './native.ts';

const libc = koffi.load(null);
const nativeMount = libc.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const nativeUmount2 = libc.func('int umount2(const char *target, int flags)');
const nativeSocketpair = libc.func('int socketpair(int domain, int type, int protocol, _Out_ void *fds)');
const nativeRecvmsg = libc.func('int64_t recvmsg(int fd, _Inout_ void *message, int flags)');
const nativeFcntl = libc.func('int fcntl(int fd, int command, ...)');

/** mount(2). Throws a system error. */
export function mountFileSystem(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): void {
  const result = orErrno(nativeMount(source, target, type, flags, data));
  if (result < 0) throw systemError('mount', -result, target);
}

export const mountFlags = { readOnly: 1, noSuid: 2, noDev: 4, noAtime: 1024 } as const;

export const unmountFlags = { force: 1, detach: 2 } as const;

/**
 * umount2(2) on a pool thread, for whoever may serve that mount itself; `flags` of `unmountFlags`. Resolves to null or
 * the errno's name.
 */
export function unmountAsync(target: string, flags: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    nativeUmount2.async(target, flags, (error: Error | null, result: number) => {
      if (error !== null) return reject(error);
      const errno = orErrno(result);
      resolve(errno < 0 ? errnoName(-errno) : null);
    });
  });
}

const unixDomain = 1;
const streamClosedOnExec = 1 | 0o2000000;

/** Two connected Unix sockets, close-on-exec. Throws a system error. */
export function createSocketPair(): readonly [number, number] {
  const fds = Buffer.alloc(8);
  const result = orErrno(nativeSocketpair(unixDomain, streamClosedOnExec, 0, fds));
  if (result < 0) throw systemError('socketpair', -result);
  return [fds.readInt32LE(0), fds.readInt32LE(4)];
}

const socketLevel = 1;
const scmRights = 1;
const closeOnExecAndDontWait = 0x40000000 | 0x40;
/** struct msghdr: name, namelen, iov, iovlen, control, controllen, flags; each 8 bytes with its padding. */
const messageBytes = 56;
/** struct cmsghdr (length 8, level 4, type 4), the descriptor, and padding to 8. */
const controlBytes = 24;

/**
 * The descriptor that waits on a Unix socket (SCM_RIGHTS), close-on-exec; null when none does. Never blocks. Throws a
 * system error.
 */
export function receiveDescriptor(socket: number): number | null {
  const payload = Buffer.alloc(8);
  const iov = Buffer.alloc(16);
  iov.writeBigUInt64LE(koffi.address(payload), 0);
  iov.writeBigUInt64LE(BigInt(payload.length), 8);
  const control = Buffer.alloc(controlBytes);
  const message = Buffer.alloc(messageBytes);
  message.writeBigUInt64LE(koffi.address(iov), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(koffi.address(control), 32);
  message.writeBigUInt64LE(BigInt(controlBytes), 40);
  const received = orErrno(nativeRecvmsg(socket, message, closeOnExecAndDontWait));
  if (received < 0 && errnoName(-received) !== 'EAGAIN') throw systemError('recvmsg', -received);
  const isDescriptor =
    received > 0 &&
    message.readUInt32LE(40) >= 20 &&
    control.readInt32LE(8) === socketLevel &&
    control.readInt32LE(12) === scmRights;
  return isDescriptor ? control.readInt32LE(16) : null;
}

const getFlags = 3;
const setFlags = 4;
const nonBlocking = 0o4000;

/** Sets O_NONBLOCK on an open file description, for all who hold it. Throws a system error. */
export function makeNonBlocking(fd: number): void {
  const flags = orErrno(nativeFcntl(fd, getFlags));
  if (flags < 0) throw systemError('fcntl', -flags);
  const result = orErrno(nativeFcntl(fd, setFlags, 'int', flags | nonBlocking));
  if (result < 0) throw systemError('fcntl', -result);
}
