// The facts that `musicfs doctor` judges. Reads /proc and /dev; a mount is asked by a child that may hang and be
// killed, never by this process.
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { errnoOf } from '../platform/errors.ts';
import { findFusermount, mayUsersAllowOthers } from '../platform/fusermount.ts';
import { isMusicfs, readMounts } from '../platform/mount-table.ts';
import { hasNoNewPrivileges, hasSysAdmin, isInitialUserNamespace } from '../platform/privileges.ts';
import { isOnPath } from '../platform/programs.ts';
import { ownUid } from './find-daemon.ts';
import type { MachineFacts, MountFact } from './machine-facts.ts';

const probeMs = 1_000;

export async function gatherFacts(): Promise<MachineFacts> {
  const all = readMounts();
  const mounts: MountFact[] = [];
  for (const { point } of all.filter(isMusicfs)) mounts.push({ point, state: await probe(point) });
  return {
    nodeVersion: process.versions.node,
    fuseDeviceError: fuseDeviceError(),
    kernelRelease: release(),
    uid: ownUid(),
    hasSetpriv: isOnPath('setpriv'),
    requestTimeouts: requestTimeouts(),
    mounts,
    fusermount: findFusermount(),
    hasNoNewPrivileges: hasNoNewPrivileges(),
    mayUsersAllowOthers: mayUsersAllowOthers(),
    isContainer: existsSync('/run/systemd/container') || existsSync('/.dockerenv'),
    sharedMountPoints: all.filter(({ isShared }) => isShared).map(({ point }) => point),
    maxPagesLimit: fuseSetting('max_pages_limit'),
    isPassthroughBuilt: isPassthroughBuilt(),
    hasSysAdmin: hasSysAdmin(),
    isInitialUserNamespace: isInitialUserNamespace(),
  };
}

/** Kernels tell how they were built, or their package does. */
function isPassthroughBuilt(): boolean | null {
  const sources = [
    () => gunzipSync(readFileSync('/proc/config.gz')).toString(),
    () => readFileSync(`/boot/config-${release()}`, 'utf8'),
  ];
  for (const read of sources) {
    try {
      return /^CONFIG_FUSE_PASSTHROUGH=y$/m.test(read());
    } catch {
      // not there, or not for us: the next one
    }
  }
  return null;
}

function fuseDeviceError(): string | null {
  try {
    closeSync(openSync('/dev/fuse', constants.O_RDWR));
    return null;
  } catch (error) {
    return errnoOf(error) ?? 'EIO';
  }
}

/** Absent where the kernel has no such limit (before 6.14). */
function requestTimeouts(): Record<string, number> {
  const names = ['default_request_timeout', 'max_request_timeout'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const seconds = fuseSetting(name);
      return seconds === null ? [] : [[name, seconds]];
    }),
  );
}

function fuseSetting(name: string): number | null {
  try {
    return Number(readFileSync(`/proc/sys/fs/fuse/${name}`, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * statfs always reaches the daemon, while stat may be answered from what the kernel remembers of a dead one. But only
 * stat tells when the mount is closed to us: EACCES.
 */
const probeScript = `
  const { statSync, statfsSync } = require('node:fs');
  try { statSync(process.argv[1]); statfsSync(process.argv[1]) }
  catch (error) { process.stdout.write(error.code) }`;

function probe(point: string): Promise<MountFact['state']> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', probeScript, '--', point], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let code = '';
    // One that is stuck in the kernel may outlive its kill: it is left behind.
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.unref();
      resolve('silent');
    }, probeMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      code += text;
    });
    child.once('close', () => {
      clearTimeout(timer);
      resolve(code === '' ? 'alive' : code.startsWith('E') ? (code as `E${string}`) : 'EIO');
    });
  });
}
