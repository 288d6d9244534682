// What this process may do, from /proc/self: see capabilities(7), user_namespaces(7).
import { readFileSync } from 'node:fs';

/**
 * Whether neither this process nor what it starts can gain privileges by running a setuid program: not even fusermount3
 * can then mount or unmount. mount.fuse3 sets it with `drop_privileges`, and locks the secure bits with it, which keeps
 * setpriv from running.
 */
export function hasNoNewPrivileges(): boolean {
  noNewPrivileges ??= /^NoNewPrivs:\s*1$/m.test(ownStatus());
  return noNewPrivileges;
}

/** Settled when the process began. Looked at once: later there may be no descriptor for it. */
let noNewPrivileges: boolean | undefined;

/** CAP_SYS_ADMIN among the effective capabilities. */
export function hasSysAdmin(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(ownStatus())?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & sysAdmin) !== 0n;
}

const sysAdmin = 1n << 21n;

/** The initial one maps every id to itself; so does nothing but a copy of it. */
export function isInitialUserNamespace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
}

function ownStatus(): string {
  return readFileSync('/proc/self/status', 'utf8');
}
