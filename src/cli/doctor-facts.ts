// The facts that `musicfs doctor` judges. Reads /proc and /dev; a mount is asked by a child that may hang and be
// killed, never by this process.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { errnoOf } from '../platform/errors.ts';
import { musicfsType, readMounts } from '../platform/mount-table.ts';
import { isOnPath } from '../platform/programs.ts';
import type { MachineFacts, MountFact } from './doctor-checks.ts';
import { ownUid } from './find-daemon.ts';

const probeMs = 1_000;

export async function gatherFacts(): Promise<MachineFacts> {
  const mounts: MountFact[] = [];
  for (const { point, fsType } of readMounts()) {
    if (fsType === musicfsType) mounts.push({ point, state: await probe(point) });
  }
  return {
    nodeVersion: process.versions.node,
    fuseDeviceError: fuseDeviceError(),
    kernelRelease: release(),
    uid: ownUid(),
    hasFusermount: isOnPath('fusermount3'),
    hasSetpriv: isOnPath('setpriv'),
    requestTimeouts: requestTimeouts(),
    mounts,
  };
}

function fuseDeviceError(): string | null {
  try {
    closeSync(openSync('/dev/fuse', constants.O_RDWR));
    return null;
  } catch (error) {
    return errnoOf(error) ?? 'EIO';
  }
}

function requestTimeouts(): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of ['default_request_timeout', 'max_request_timeout']) {
    try {
      found[name] = Number(readFileSync(`/proc/sys/fs/fuse/${name}`, 'utf8'));
    } catch {
      // kernels before 6.14 have no such limit
    }
  }
  return found;
}

/** statfs always reaches the daemon, while stat may be answered from what the kernel remembers of a dead one. */
const probeScript = `
  try { require('node:fs').statfsSync(process.argv[1]) }
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
