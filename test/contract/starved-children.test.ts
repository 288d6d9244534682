// Processes beside the daemon that cannot be started, as there are no descriptors left.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { programArguments } from '../fixtures/mounted.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

test('R-29: a process that cannot be started for want of descriptors is told as such, and nobody else ends', () => {
  const said = execFileSync(
    'prlimit',
    ['--nofile=64:64', process.execPath, ...programArguments('starved-children', [temporaryDirectory()])],
    { encoding: 'utf8', timeout: 60_000 },
  );
  const outcomes = JSON.parse(said) as Record<string, string[]>;
  expect(Object.keys(outcomes)).toEqual(['parser', 'host']);
  for (const [name, own] of Object.entries(outcomes)) {
    expect(own.length, name).toBeGreaterThan(3);
    expect([own.at(-1), ...new Set(own.slice(0, -1))], name).toEqual(['started', 'refused']);
  }
}, 60_000);
