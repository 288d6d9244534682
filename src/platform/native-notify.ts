// The system calls behind messages to the service manager (service-manager.ts), through koffi: a Unix datagram that
// carries descriptors. Layouts are those of Linux on x64 and arm64, glibc and musl (little-endian, LP64): where musl
// has a shorter field with padding behind it, the longer one of glibc covers both.
import koffi from 'koffi';
import { orErrno, systemError } from './native.ts';

const libc = koffi.load(null);
const area = koffi.struct({ base: 'void *', length: 'size_t' });
const message = koffi.struct({
  name: 'void *',
  nameLength: 'uint32_t',
  areas: koffi.pointer(area),
  areaCount: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
});
const nativeSocket = libc.func('int socket(int domain, int type, int protocol)');
const nativeSendmsg = libc.func('sendmsg', 'int64_t', ['int', koffi.pointer(message), 'int']);
const nativeFcntl = libc.func('int fcntl(int fd, int command, ...)');

const unixDomain = 1;
const datagramNonBlockingClosedOnExec = 2 | 0o4000 | 0o2000000;

/** A Unix datagram socket without a name, non-blocking and close-on-exec. Throws a system error. */
export function createDatagramSocket(): number {
  const fd = orErrno(nativeSocket(unixDomain, datagramNonBlockingClosedOnExec, 0));
  if (fd < 0) throw systemError('socket', -fd);
  return fd;
}

/**
 * struct sockaddr_un of a path, or of an abstract name, which is written with a leading '@'; null for what is neither,
 * or too long.
 */
export function unixAddress(name: string): Buffer | null {
  const isAbstract = name.startsWith('@');
  if (!isAbstract && !name.startsWith('/')) return null;
  const text = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  if (text.length > longestName || text.length < 2) return null;
  return Buffer.concat([Buffer.from([unixDomain, 0]), text]);
}

const longestName = 108;
const noSignal = 0x4000;

/** One datagram with descriptors (SCM_RIGHTS). Never blocks. Bytes sent or a negative errno. */
export function sendDatagram(
  socket: number,
  address: Buffer,
  text: Buffer,
  fds: readonly number[] = [],
): number {
  const control = fds.length === 0 ? null : controlWith(fds);
  const sent: number | bigint = nativeSendmsg(
    socket,
    {
      name: address,
      nameLength: address.length,
      areas: [{ base: text, length: text.length }],
      areaCount: 1,
      control,
      controlLength: control?.length ?? 0,
      flags: 0,
    },
    noSignal,
  );
  return orErrno(sent);
}

const controlHeaderBytes = 16;
const socketLevel = 1;
const scmRights = 1;

/** struct cmsghdr (length 8, level 4, type 4), the descriptors, and padding to 8. */
function controlWith(fds: readonly number[]): Buffer {
  const length = controlHeaderBytes + 4 * fds.length;
  const control = Buffer.alloc(Math.ceil(length / 8) * 8);
  control.writeBigUInt64LE(BigInt(length), 0);
  control.writeInt32LE(socketLevel, 8);
  control.writeInt32LE(scmRights, 12);
  for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, controlHeaderBytes + 4 * index);
  return control;
}

const setDescriptorFlags = 2;
const closedOnExec = 1;

/** Keeps a descriptor from the programs that are started from now on. False when it is not open. */
export function closeOnExec(fd: number): boolean {
  return orErrno(nativeFcntl(fd, setDescriptorFlags, 'int', closedOnExec)) === 0;
}
