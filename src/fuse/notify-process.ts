// A process of its own that writes notifications to the kernel, for notify-child.ts: a write waits, and cannot even be
// killed, as long as the kernel waits for an answer about the same directory. A daemon that waited so could not die before
// somebody answers, and nobody would before it is dead (measured on Linux 6.18: fuse_reverse_inval_entry in state D).
//
// Standard input: notifications, whole and one after the other, each with its length in front as the protocol has it.
// Standard output: a byte for each, 0 or the errno with which the kernel refused it. Descriptor 3: the session. Ends with
// its input.
import { readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';

const sessionFd = 3;
const shortestBytes = 16;
/** The kernel knows no such node or name; the session has ended, and has no readers. */
const fine: ReadonlySet<number> = new Set([
  constants.errno.ENOENT,
  constants.errno.ENODEV,
  constants.errno.ENOTCONN,
]);

const input = Buffer.allocUnsafe(64 * 1024);
let rest: Buffer = Buffer.alloc(0);
for (let read = readSync(0, input); read > 0; read = readSync(0, input)) {
  rest = Buffer.concat([rest, input.subarray(0, read)]);
  while (rest.length >= shortestBytes && rest.length >= rest.readUInt32LE(0)) {
    const length = rest.readUInt32LE(0);
    if (length < shortestBytes) throw new Error(`a notification of ${length} bytes`);
    writeSync(1, Uint8Array.of(refusalOf(rest.subarray(0, length))));
    rest = rest.subarray(length);
  }
}

function refusalOf(notification: Buffer): number {
  try {
    writeSync(sessionFd, notification);
    return 0;
  } catch (error) {
    const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? constants.errno.EIO);
    return fine.has(errno) ? 0 : errno;
  }
}
