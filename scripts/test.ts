// `npm test`: every test, mounts included. Sets up what they need, runs vitest, and prints what its report counts. A few
// tests that failed are run once more, alone, and named when they pass there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { needPrograms } from './system-packages.ts';
import {
  type FailedTest,
  onlyThese,
  possibleAccidents,
  type TestReport,
  withSecondRun,
} from './test-report.ts';
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
const reportOfSecondRun = '.cache/test-report-again.json';

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
  let { status, result } = run(argv, report);
  const accidents = possibleAccidents(result);
  if (status !== 0 && accidents.length > 0) ({ status, result } = runAgain(result, accidents));
  // A file that could not be run is a failure too, as is a test that was left out.
  const failed = result.numFailedTests + result.numPendingTests + result.numTodoTests;
  const broken = failed === 0 && status !== 0 ? Math.max(1, result.numFailedTestSuites) : failed;
  console.log(`${result.numPassedTests} passed, ${broken} failed`);
  return status === 0 && broken === 0 ? 0 : 1;
}

function run(argv: readonly string[], outputFile: string): { status: number | null; result: TestReport } {
  const { status } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${outputFile}`,
      ...argv,
    ],
    { stdio: 'inherit' },
  );
  return { status, result: JSON.parse(readFileSync(outputFile, 'utf8')) as TestReport };
}

/** On a busy machine a limit may pass for want of CPU: alone, the same test has no such excuse. Both results are told. */
function runAgain(
  first: TestReport,
  tests: readonly FailedTest[],
): { status: number | null; result: TestReport } {
  console.log(`\n${tests.length} failed; once more, alone:\n`);
  const { result: second } = run([...onlyThese(tests), '--maxWorkers=1'], reportOfSecondRun);
  const { report: result, passedAlone } = withSecondRun(first, second, tests);
  for (const { title } of passedAlone) console.log(`UNSTABLE, passed only alone: ${title}`);
  writeFileSync(report, JSON.stringify(result));
  return { status: passedAlone.length === tests.length ? 0 : 1, result };
}

function fail(message: string): number {
  console.error(message);
  return 1;
}
