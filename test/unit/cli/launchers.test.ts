import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const bin = path.resolve(import.meta.dirname, '../../../bin');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'musicfs launcher '));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('musicfs runs through a chain of links, from a path with blanks', () => {
  symlinkSync(path.join(bin, 'musicfs'), path.join(folder, 'first'));
  symlinkSync('first', path.join(folder, 'second'));
  const { status, stdout, stderr } = run(path.join(folder, 'second'), ['--version'], { HOME: folder });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it('musicfs runs without a home', () => {
  expect(run(path.join(bin, 'musicfs'), ['--version'], {}).status).toBe(0);
});

describe.each(['musicfs', 'musicfsd'])('%s without a Node of its own', (name) => {
  it('says what to run when there is none at all', () => {
    const { status, stderr } = run(copyOf(name), [], { PATH: toolsOnly() });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      new RegExp(`^${name}: Node 24 is needed, found: none is on PATH\\. Run: \\(cd '.*' && npm ci\\)\\n$`),
    );
  });

  it('says what to run when the one on PATH is too old', () => {
    const tools = toolsOnly();
    writeFileSync(path.join(tools, 'node'), '#!/bin/sh\necho 20.20.2\n', { mode: 0o755 });
    const { status, stderr } = run(copyOf(name), [], { PATH: tools });
    expect(status).toBe(2);
    expect(stderr).toContain('found: 20.20.2');
  });

  it('takes one from PATH that is new enough, and passes the arguments on as they are', () => {
    const tools = toolsOnly();
    const script = '#!/bin/sh\n[ "$1" = -p ] && { echo 26.0.1; exit; }\nprintf "%s|" "$@"\n';
    writeFileSync(path.join(tools, 'node'), script, { mode: 0o755 });
    const { stdout } = run(copyOf(name), ['a b', '*'], { PATH: tools });
    expect(stdout).toMatch(/^--disable-warning=ExperimentalWarning\|.*main\.ts\|a b\|\*\|$/);
  });
});

function run(program: string, args: readonly string[], env: Record<string, string>) {
  return spawnSync(program, args, { env: { PATH: '/usr/bin:/bin', ...env }, encoding: 'utf8' });
}

function copyOf(name: string): string {
  mkdirSync(path.join(folder, 'bin'), { recursive: true });
  const copy = path.join(folder, 'bin', name);
  copyFileSync(path.join(bin, name), copy);
  chmodSync(copy, 0o755);
  return copy;
}

/** A PATH with what the launchers need and no Node. */
function toolsOnly(): string {
  const tools = path.join(folder, 'tools');
  mkdirSync(tools);
  for (const tool of ['dirname', 'readlink', 'sh', 'printf'])
    symlinkSync(`/usr/bin/${tool}`, path.join(tools, tool));
  return tools;
}
