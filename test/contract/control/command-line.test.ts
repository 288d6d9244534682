import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ScanProgress } from '../../../src/control/daemon-port.ts';
import { startControlServer } from '../../../src/control/server.ts';
import { instanceIdOf } from '../../../src/platform/instance-paths.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { createFakeDaemon, progress, sampleStatus, sampleTree, serve } from './fake-daemon.ts';
import { runMusicfs, runProgram } from './run-musicfs.ts';
import { leaveStaleSocket } from './stale-socket.ts';

const point = sampleStatus.mountPoint;
const folderOfPoint = path.join('musicfs', instanceIdOf(point));

describe('finding the daemon', () => {
  it('goes by the mount point, as argument or option, and by the socket', async () => {
    await using control = await serve(createFakeDaemon().port, folderOfPoint);
    const env = { XDG_RUNTIME_DIR: control.directory };
    for (const named of [[point], [`${point}/`], ['--mount', point], ['--socket', control.socketPath]]) {
      const { code, stdout } = await runMusicfs(['status', '--json', ...named], env);
      expect(code, named.join(' ')).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ pid: 4711 });
    }
  });

  it('takes the only one that runs, past what dead ones left', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'musicfs-home-'));
    await using control = await serve(createFakeDaemon().port, folderOfPoint);
    mkdirSync(path.join(control.directory, 'musicfs/dead'));
    await leaveStaleSocket(path.join(control.directory, 'musicfs/dead/control.sock'));
    const env = { XDG_RUNTIME_DIR: control.directory, HOME: home };
    const { code, stdout } = await runMusicfs(['status', '--json'], env, asOrdinaryUser(control.directory));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ pid: 4711 });
    rmSync(home, { recursive: true });
  });

  it('asks which one is meant when several run', async () => {
    await using one = await serve(createFakeDaemon().port, folderOfPoint);
    const socketPath = path.join(one.directory, 'musicfs/other-1/control.sock');
    const other = await startControlServer({ port: createFakeDaemon().port, socketPath, log: silentLogger });
    const env = { XDG_RUNTIME_DIR: one.directory, HOME: one.directory };
    const { code, stderr } = await runMusicfs(['status'], env, asOrdinaryUser(one.directory));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^musicfs: several daemons run \(.*other-1.*--mount POINT\n$/);
    await other.close();
  });

  it('says in one line how to start one when none answers', async () => {
    const env = { XDG_RUNTIME_DIR: '/nonexistent' };
    for (const named of [
      ['--mount', '/mnt/nothing'],
      ['--socket', '/nonexistent/control.sock'],
    ]) {
      const { code, stdout, stderr } = await runMusicfs(['status', ...named], env);
      expect(code).toBe(3);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^musicfs: no daemon answers .*\n$/);
    }
  });

  it('refuses two names for it', async () => {
    const { code, stderr } = await runMusicfs(['status', '/a', '--mount', '/b']);
    expect(code).toBe(2);
    expect(stderr).toBe('musicfs: name the daemon once: by its mount point, --mount or --socket\n');
  });
});

describe('musicfs status', () => {
  it('prints the report as JSON: numbers as numbers, zeros, lower-case words, nothing that is absent', async () => {
    await using control = await serve(createFakeDaemon().port);
    const { code, stdout } = await runMusicfs(['status', '--json', '--socket', control.socketPath]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(sampleStatus);
  });

  it('fits a screen and tells the warnings', async () => {
    await using control = await serve(createFakeDaemon().port);
    const { code, stdout } = await runMusicfs(['status', '--socket', control.socketPath]);
    expect(code).toBe(0);
    expect(stdout.split('\n').length).toBeLessThan(24);
    expect(stdout).toContain('/mnt/music  ready, up 3 h 12 min');
    expect(stdout).toContain('1,234 tracks, 1,240 files, 310 directories');
    expect(stdout).toContain('warning   origin local-2 is empty');
  });

  it('gives up when --timeout has passed', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'musicfs-silent-'));
    const socketPath = path.join(folder, 'control.sock');
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => {
      silent.listen(socketPath, resolve);
    });
    const { code, stderr } = await runMusicfs(['status', '--socket', socketPath, '--timeout', '0.3']);
    expect(code).toBe(6);
    expect(stderr).toMatch(/^musicfs: the daemon did not answer in time: .*\n$/);
    silent.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('does not complain when its reader has seen enough', async () => {
    await using control = await serve(createFakeDaemon().port);
    const main = path.resolve(import.meta.dirname, '../../../bin/musicfs');
    const { stdout, stderr } = await runProgram('sh', [
      '-c',
      `"${main}" status --socket "${control.socketPath}" | true`,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  });
});

describe('musicfs tree', () => {
  it('prints the tree as JSON', async () => {
    await using control = await serve(createFakeDaemon().port);
    const { code, stdout } = await runMusicfs(['tree', '--json', '--socket', control.socketPath]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(sampleTree);
  });

  it('draws it with restarts, mailbox and last error', async () => {
    await using control = await serve(createFakeDaemon().port);
    const { stdout } = await runMusicfs(['tree', '--socket', control.socketPath]);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('root  running · rest_for_one');
    expect(lines[1]).toBe('├─ library  running · one_for_one');
    expect(lines[2]).toMatch(
      /^│ {2}└─ indexer {2}backoff · 2 restarts \(1 of 5 spent\) .*mailbox 0 of 256, most 7/,
    );
    expect(lines[2]).toMatch(/last error .* ago: internal: boom$/);
    expect(lines[3]).toBe('└─ serving  running · rest_for_one');
  });
});

describe('musicfs rescan', () => {
  it('starts a scan and returns without waiting for it', async () => {
    const fake = createFakeDaemon();
    fake.scan = async function* (_request, signal) {
      yield progress({ total: 9 });
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
    };
    await using control = await serve(fake.port);
    const { code, stdout } = await runMusicfs(['rescan', '--socket', control.socketPath]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^scan started; .*\n$/);
    expect(fake.rescans).toEqual([{ detached: true, full: false }]);
  });

  it('follows a scan in lines on stderr and sums it up on stdout', async () => {
    const fake = createFakeDaemon();
    await using control = await serve(fake.port);
    const args = ['rescan', '--wait', '--full', '--origin', 'local', '--socket', control.socketPath];
    const { code, stdout, stderr } = await runMusicfs(args);
    expect(code).toBe(0);
    expect(fake.rescans).toEqual([{ originId: 'local', detached: false, full: true }]);
    expect(stderr).toBe('listing: 0 of 2 files, 0 a second\n');
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^scanned 2 files in \d s: 2 added, 0 changed, 0 moved, 0 removed, 0 errors$/),
      '',
    ]);
  });

  it('draws a bar on a terminal and leaves the summary alone', async () => {
    await using control = await serve(createFakeDaemon().port);
    const main = path.resolve(import.meta.dirname, '../../../bin/musicfs');
    const { stdout } = await runProgram('script', [
      '-qec',
      `'${main}' rescan --wait --socket '${control.socketPath}'`,
      '/dev/null',
    ]);
    expect(stdout).toContain('█');
    expect(stdout).toMatch(/scanned 2 files in \d s: 2 added/);
  });

  it('prints one JSON object a line', async () => {
    await using control = await serve(createFakeDaemon().port);
    const { stdout } = await runMusicfs(['rescan', '--wait', '--json', '--socket', control.socketPath]);
    const parts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ScanProgress);
    expect(parts.map(({ phase }) => phase)).toEqual(['listing', 'parsing', 'done']);
    expect(parts[2]).toEqual(progress({ phase: 'done', done: 2, total: 2, added: 2 }));
  });

  it('ends with 4 for an origin that is not there', async () => {
    await using control = await serve(createFakeDaemon().port);
    const { code, stderr } = await runMusicfs([
      'rescan',
      '--origin',
      'nowhere',
      '--socket',
      control.socketPath,
    ]);
    expect(code).toBe(4);
    expect(stderr).toBe('musicfs: no origin nowhere: musicfs status lists them\n');
  });

  it('ends with 1 when the scan was stopped before its end', async () => {
    const fake = createFakeDaemon();
    fake.scan = async function* () {
      yield progress();
    };
    await using control = await serve(fake.port);
    const { code, stderr } = await runMusicfs(['rescan', '--wait', '--socket', control.socketPath]);
    expect(code).toBe(1);
    expect(stderr).toBe('listing: 0 of 0 files, 0 a second\nmusicfs: the scan was stopped before its end\n');
  });

  it('stops the scan when it is interrupted while it waits', async () => {
    const fake = createFakeDaemon();
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const interrupt = new AbortController();
    fake.scan = async function* (_request, signal) {
      yield progress();
      interrupt.abort();
      await new Promise<void>((end) => {
        signal.addEventListener('abort', () => end());
      });
      resolve();
    };
    await using control = await serve(fake.port);
    const args = ['rescan', '--wait', '--socket', control.socketPath];
    const ended = runMusicfs(args, {}, { signal: interrupt.signal, killSignal: 'SIGINT' });
    await expect(ended).rejects.toThrow();
    await aborted;
  });
});

describe('musicfs debug failpoint', () => {
  it('sets, lists and clears', async () => {
    await using control = await serve(createFakeDaemon({ failpoints: true }).port);
    const failpoint = (...args: string[]) =>
      runMusicfs(['debug', 'failpoint', ...args, '--socket', control.socketPath]);
    expect((await failpoint('set', 'parser.file=delay(5)')).code).toBe(0);
    expect((await failpoint('list')).stdout).toBe('parser.file  delay, 0 hits\n');
    expect((await failpoint('clear')).code).toBe(0);
    expect(JSON.parse((await failpoint('list', '--json')).stdout)).toEqual([]);
  });

  it('says how to get failpoints when the daemon has none', async () => {
    await using control = await serve(createFakeDaemon().port);
    const args = ['debug', 'failpoint', 'set', 'parser.file=crash', '--socket', control.socketPath];
    const { code, stderr } = await runMusicfs(args);
    expect(code).toBe(5);
    expect(stderr).toMatch(/^musicfs: .*--enable-failpoints.*\n$/);
  });
});

describe('usage', () => {
  it.each([
    [['statu'], "musicfs: unknown command 'statu' (Did you mean status?)\n"],
    [['status', '--jsn'], "musicfs: unknown option '--jsn' (Did you mean --json?)\n"],
    [['frobnicate'], "musicfs: unknown command 'frobnicate'; see musicfs --help\n"],
    [['status', 'relative/path'], 'musicfs: relative/path: a mount point is named by its absolute path\n'],
  ])('%j ends with 2 and one line', async (args, line) => {
    const { code, stdout, stderr } = await runMusicfs(args);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: line });
  });

  it('refuses a timeout that is no time', async () => {
    for (const timeout of ['0', '-1', 'soon', '']) {
      const { code, stderr } = await runMusicfs(['status', `--timeout=${timeout}`]);
      expect(code, timeout).toBe(2);
      expect(stderr).toMatch(/^musicfs: .*seconds above 0.*\n$/);
    }
  });

  it('--help lists the commands and the exit codes', async () => {
    const { code, stdout } = await runMusicfs(['--help']);
    expect(code).toBe(0);
    for (const word of ['mount', 'unmount', 'status', 'tree', 'rescan', 'doctor', 'debug']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${word} `, 'm'));
    }
    for (const code of [0, 1, 2, 3, 4, 5, 6, 7])
      expect(stdout).toMatch(new RegExp(`^ {2}${code} {2}\\w`, 'm'));
  });

  it('--version prints the version and loads no gRPC', async () => {
    const { code, stdout } = await runMusicfs(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const debugged = await runMusicfs(['--version'], { NODE_DEBUG: 'esm,module' });
    expect(debugged.stderr).toContain('commander');
    expect(debugged.stderr).not.toContain('grpc-js');
  });

  it('shows a stack only with MUSICFS_DEBUG=1', async () => {
    const quiet = await runMusicfs(['status', 'x']);
    expect(quiet.stderr).not.toContain('    at ');
    const loud = await runMusicfs(['status', 'x'], { MUSICFS_DEBUG: '1' });
    expect(loud.stderr).toContain('    at ');
  });
});

/** Root looks at /run and /var/lib as well, where other daemons may run: so these children are nobody. */
function asOrdinaryUser(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const nobody = 65_534;
  for (const entry of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
    chownSync(path.join(folder, entry), nobody, nobody);
  }
  return { uid: nobody, gid: nobody };
}
