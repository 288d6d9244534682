// A root of real Debian with systemd as its first process, made once and kept in the user's cache. It is never written
// to: each machine that boots from it keeps what it changes in memory.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isOnPath } from '../../src/platform/programs.ts';

const release = 'bookworm';
const packages = 'systemd,systemd-sysv,dbus,fuse3';
const mirror = 'http://deb.debian.org/debian';
/** Changes with what the image holds, so that an older one is not taken for it. */
const name = `${release}-1`;

/** The folder of the image. Takes half a minute when it is yet to be made. */
export function ensureImage(): string {
  refuseWithoutTools();
  const cache = path.join(
    process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'),
    'musicfs',
    'debian',
  );
  const image = path.join(cache, name);
  if (existsSync(image)) return image;
  const fresh = `${image}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  try {
    execFileSync('debootstrap', ['--variant=minbase', `--include=${packages}`, release, fresh, mirror], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 300_000,
    });
    if (!existsSync(image)) renameSync(fresh, image);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return image;
}

function refuseWithoutTools(): void {
  if (process.getuid?.() !== 0)
    throw new Error('these tests boot a machine: run them as root (sudo npm test)');
  const missing = ['systemd-nspawn', 'debootstrap', 'nsenter'].filter((program) => !isOnPath(program));
  if (missing.length === 0) return;
  throw new Error(
    `${missing.join(', ')} missing: sudo apt-get install -y --no-install-recommends systemd-container debootstrap util-linux`,
  );
}
