// System packages the project's own commands need beside Node: looked for by their programs, installed when we are root
// on a Debian-like machine, otherwise named in the one line that installs them.
import { execFileSync, spawnSync } from 'node:child_process';
import { isOnPath } from '../src/platform/programs.ts';

/** program → Debian packages that bring it. */
const packageOf: Readonly<Record<string, string>> = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  mpv: 'mpv',
  getfattr: 'attr',
  rsync: 'rsync',
  fusermount3: 'fuse3',
  setpriv: 'util-linux',
  'dpkg-deb': 'dpkg',
  'ganesha.nfsd': 'nfs-ganesha nfs-ganesha-vfs',
  'nfs-cat': 'libnfs-utils',
  smbd: 'samba',
  smbclient: 'smbclient',
  sshd: 'openssh-server',
  'ssh-keygen': 'openssh-client',
  'ssh-agent': 'openssh-client',
  borg: 'borgbackup',
  cvlc: 'vlc-bin vlc-plugin-base',
  beet: 'beets',
  gio: 'libglib2.0-bin gvfs',
  'xvfb-run': 'xvfb xauth',
  'mkfs.ext4': 'e2fsprogs',
  'systemd-nspawn': 'systemd-container',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  ip: 'iproute2',
  chattr: 'e2fsprogs',
  go: 'golang-go',
};

/** Makes sure that the programs are there. Returns the line to run when they are not and cannot be installed. */
export function needPrograms(programs: readonly string[]): string | null {
  const missing = programs.filter((program) => !isOnPath(program));
  if (missing.length === 0) return null;
  const packages = [...new Set(missing.flatMap((program) => (packageOf[program] ?? program).split(' ')))];
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) return `sudo ${line}`;
  console.error(`installing ${packages.join(', ')} (once)`);
  const install = () =>
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  if (install().status !== 0) {
    refreshPackageLists();
    if (install().status !== 0) return line;
  }
  return programs.every(isOnPath) ? null : line;
}

export function refreshPackageLists(): void {
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
  } catch {
    // Offline: what is in the cache must do.
  }
}
