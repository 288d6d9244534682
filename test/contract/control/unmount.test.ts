// Mounts without any answer behind them, made and removed by children: enough to see what unmount and doctor do.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { instanceIdOf } from '../../../src/platform/instance-paths.ts';
import { createFakeDaemon, sampleStatus, serve } from './fake-daemon.ts';
import { runMusicfs } from './run-musicfs.ts';

let folder = '';
let point = '';

beforeEach(() => {
  if (process.getuid?.() !== 0) throw new Error('these tests mount: run them as root (sudo npm test)');
  folder = mkdtempSync(path.join(tmpdir(), 'musicfs-unmount-'));
  point = path.join(folder, 'my music');
  mkdirSync(point);
});

afterEach(() => {
  while (isMounted()) execFileSync('umount', ['-i', '-c', '-l', point]);
  rmSync(folder, { recursive: true });
});

describe('musicfs unmount', () => {
  it('detaches a dead mount', async () => {
    mountDead();
    const { code, stdout } = await runMusicfs(['unmount', point], { XDG_RUNTIME_DIR: folder });
    expect(code).toBe(0);
    expect(stdout).toBe(`${point}: no daemon answered, the dead mount is detached\n`);
    expect(isMounted()).toBe(false);
  });

  it('finds the mount through a link', async () => {
    mountDead();
    symlinkSync(point, path.join(folder, 'link'));
    const { code } = await runMusicfs(['unmount', path.join(folder, 'link')], { XDG_RUNTIME_DIR: folder });
    expect(code).toBe(0);
    expect(isMounted()).toBe(false);
  });

  it('asks the daemon to stop and returns when the mount is gone', async () => {
    mountDead();
    const fake = createFakeDaemon();
    fake.onShutdown = () => spawn('sh', ['-c', 'sleep 0.3; exec umount -i -c -l "$0"', point]);
    await using control = await serve(fake.port, path.join('musicfs', instanceIdOf(point)));
    const { code, stdout } = await runMusicfs(['unmount', '--mount', point, '--json'], {
      XDG_RUNTIME_DIR: control.directory,
    });
    expect(isMounted()).toBe(false);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ mountPoint: point, how: 'stopped' });
    expect(fake.shutdowns).toEqual(['drain']);
  });

  it('learns the mount point from the daemon when only a socket is named', async () => {
    mountDead();
    const fake = createFakeDaemon();
    fake.report = { ...sampleStatus, mountPoint: point };
    fake.onShutdown = () => execFileSync('umount', ['-i', '-c', point]);
    await using control = await serve(fake.port);
    const { code } = await runMusicfs(['unmount', '--socket', control.socketPath]);
    expect(code).toBe(0);
    expect(isMounted()).toBe(false);
  });

  it('ends with 6 when the mount stays', async () => {
    mountDead();
    const fake = createFakeDaemon();
    fake.report = { ...sampleStatus, pid: process.pid }; // a daemon that goes on living
    await using control = await serve(fake.port, path.join('musicfs', instanceIdOf(point)));
    const { code, stderr } = await runMusicfs(['unmount', point, '--timeout', '0.3'], {
      XDG_RUNTIME_DIR: control.directory,
    });
    expect(code).toBe(6);
    expect(stderr).toMatch(/^musicfs: .*is still mounted.*\n$/);
  });

  it('ends with 4 for what is not mounted or not ours', async () => {
    const nothing = await runMusicfs(['unmount', point]);
    expect(nothing.code).toBe(4);
    expect(nothing.stderr).toBe(
      `musicfs: ${point} is not mounted: musicfs doctor lists the mounts there are\n`,
    );
    const foreign = await runMusicfs(['unmount', '/proc']);
    expect(foreign.code).toBe(4);
    expect(foreign.stderr).toBe('musicfs: /proc is a mount of proc, not of musicfs\n');
  });
});

describe('musicfs doctor', () => {
  it('finds a dead mount, says how to remove it, and ends with 7', async () => {
    mountDead();
    const { code, stdout } = await runMusicfs(['doctor', '--json']);
    expect(code).toBe(7);
    const { checks } = JSON.parse(stdout) as { checks: object[] };
    expect(checks).toContainEqual({
      check: 'mounts',
      verdict: 'fail',
      cause: `${point} is dead (ENOTCONN)`,
      cure: `musicfs unmount '${point}'`,
    });
  });
});

/** A mount whose descriptor died with the shell that opened it. */
function mountDead(): void {
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,subtype=musicfs';
  execFileSync('sh', ['-c', `exec 3<>/dev/fuse; exec mount -i -t fuse -o ${options} musicfs "$0"`, point]);
  expect(isMounted()).toBe(true);
}

function isMounted(): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${point.replaceAll(' ', '\\040')} `);
}
