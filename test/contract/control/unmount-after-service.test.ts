// What the units run when a daemon has ended, on mounts that nobody answers, with a systemctl of the test's own. The
// whole of it under a real systemd: test/systemd.
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { mountNewSession } from '../../../src/fuse/mount.ts';
import { mountAt, readMounts } from '../../../src/platform/mount-table.ts';
import { abortConnection } from '../../fixtures/limited-child.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { runMusicfs } from './run-musicfs.ts';

const unit = 'musicfs@test.service';
let folder = '';
let point = '';

beforeEach(() => {
  if (process.getuid?.() !== 0) throw new Error('these tests mount: run them as root (sudo npm test)');
  folder = temporaryDirectory();
  point = path.join(folder, 'mount');
  mkdirSync(point);
  onTestFinished(() => {
    while (isMounted()) {
      abortConnection(point);
      execFileSync('umount', ['-i', '-c', '-l', point]);
    }
  });
});

describe('after every life', () => {
  it.each(['stop'])(
    'R-17: a mount that a %s left is taken away, though its descriptor lives',
    async (job) => {
      mountKept();
      expect(await ifFinal(job)).toMatchObject({ code: 0, stdout: `${point}: detached\n` });
      expect(isMounted()).toBe(false);
    },
  );

  it.each(['restart', 'start', 'none', 'no answer'])(
    'R-17: with job %s the mount is left to the next life',
    async (job) => {
      mountKept();
      expect(await ifFinal(job)).toMatchObject({ code: 0, stdout: `${point}: left\n` });
      expect(isMounted()).toBe(true);
    },
  );

  it('R-17: after an orderly stop there is nothing left to do', async () => {
    expect(await ifFinal('stop')).toMatchObject({ code: 0, stdout: `${point}: absent\n` });
  });

  it('R-17: the mount of another file system is not touched', async () => {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', point]);
    expect(await ifFinal('stop')).toMatchObject({ code: 0, stdout: `${point}: left\n` });
    expect(isMounted()).toBe(true);
  });
});

describe('when there is no next life', () => {
  it('R-17: a dead mount is taken away', async () => {
    mountDead();
    expect(await ifDead([point])).toMatchObject({ code: 0, stdout: `${point}: detached\n` });
    expect(isMounted()).toBe(false);
  });

  it('R-17: a mount whose descriptor is let go a little later is waited for', async () => {
    const fd = mountKept();
    const ended = ifDead([point]);
    setTimeout(() => closeSync(fd), 1500);
    expect(await ended).toMatchObject({ code: 0, stdout: `${point}: detached\n` });
    expect(isMounted()).toBe(false);
  });

  it('R-17: the mount is found by the configuration of its service', async () => {
    mountDead();
    const config = path.join(folder, 'config.toml');
    writeFileSync(config, `[mount]\npoint = ${JSON.stringify(point)}\n`);
    const { code } = await ifDead(['--config', config]);
    expect(code).toBe(0);
    expect(isMounted()).toBe(false);
    writeFileSync(config, '[mount]\n');
    expect(await ifDead(['--config', config])).toMatchObject({
      code: 2,
      stderr: 'musicfs: which mount: name the mount point, or a configuration that does with --config FILE\n',
    });
  });

  it('R-17: where nothing is mounted there is nothing to do', async () => {
    expect(await ifDead([point])).toMatchObject({ code: 0, stdout: `${point}: absent\n` });
  });
});

function ifFinal(job: string): ReturnType<typeof runMusicfs> {
  const programs = path.join(folder, 'programs');
  mkdirSync(programs);
  const line = job === 'none' ? ':' : job === 'no answer' ? 'exit 1' : `echo "12 ${unit} ${job} running"`;
  writeFileSync(path.join(programs, 'systemctl'), `#!/bin/sh\n${line}\n`);
  chmodSync(path.join(programs, 'systemctl'), 0o755);
  return runMusicfs(['unmount', '--if-final', unit, point], {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
  });
}

function ifDead(args: readonly string[]): ReturnType<typeof runMusicfs> {
  return runMusicfs(['unmount', '--if-dead', ...args]);
}

/** Its descriptor is held here, as the manager holds it, and nobody answers. */
function mountKept(): number {
  const { fd } = mountNewSession({ mountPoint: point, allowOther: false, uid: 0, gid: 0 });
  return fd;
}

function mountDead(): void {
  closeSync(mountKept());
}

function isMounted(): boolean {
  return mountAt(point, readMounts()) !== undefined;
}
