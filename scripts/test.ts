// `npm test`: every test, mounts included. Sets up what they need, runs vitest, and prints what its report counts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { needPrograms } from './system-packages.ts';
import { needsToxiproxyBuild, toxiproxyProgram } from './toxiproxy-server.ts';

/** What the tests use beside Node: players and tools that read a mount, servers that re-export it, and a
 * machine with a systemd of its own, and servers that origins read from. */
const programs = [
  ...['ffmpeg', 'ffprobe', 'mpv', 'getfattr', 'rsync', 'fusermount3', 'setpriv', 'mkfs.ext4'],
  ...['ganesha.nfsd', 'nfs-cat', 'smbd', 'smbclient', 'restic', 'borg', 'fio'],
  ...['sshd', 'ssh-keygen', 'ssh-agent', 'unshare'],
  ...['systemd-nspawn', 'debootstrap', 'nsenter'],
  ...['rclone', 'apache2', 'openssl', 'ip', 'chattr'],
];

const report = '.cache/test-report.json';

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  const line = needPrograms([...programs, ...(needsToxiproxyBuild() ? ['go'] : [])]);
  if (line !== null) return fail(`the tests need some programs: ${line}`);
  try {
    if (needsToxiproxyBuild()) toxiproxyProgram();
  } catch (error) {
    return fail(`the tests need toxiproxy: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (process.getuid?.() !== 0) return fail('the tests mount file systems, which needs root: sudo npm test');
  mkdirSync('.cache', { recursive: true });
  const { status } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...argv,
    ],
    { stdio: 'inherit' },
  );
  const counts = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    numFailedTestSuites: number;
  };
  // A file that could not be run is a failure too, as is a test that was left out.
  const failed = counts.numFailedTests + counts.numPendingTests + counts.numTodoTests;
  const broken = failed === 0 && status !== 0 ? Math.max(1, counts.numFailedTestSuites) : failed;
  console.log(`${counts.numPassedTests} passed, ${broken} failed`);
  return status === 0 && broken === 0 ? 0 : 1;
}

function fail(message: string): number {
  console.error(message);
  return 1;
}
