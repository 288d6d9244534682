// What this process may ask of the kernel.
import { readFileSync } from 'node:fs';

const sysAdmin = 21n; // include/uapi/linux/capability.h

/** CAP_SYS_ADMIN is in force. Inside a container that is not yet the right to everything: the kernel still may refuse. */
export function mayPassThrough(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> sysAdmin) & 1n) === 1n;
}
