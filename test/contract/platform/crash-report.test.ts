import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const program = path.resolve(import.meta.dirname, '../../fixtures/programs/crashing.ts');

function run(how: string, ...directory: readonly string[]): Promise<{ code: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, how, ...directory], { timeout: 10_000 }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
}

function onlyReport(directory: string): Record<string, unknown> {
  const [name = '', ...more] = readdirSync(directory);
  expect(more).toEqual([]);
  expect(statSync(path.join(directory, name)).mode & 0o777).toBe(0o600);
  return JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as Record<string, unknown>;
}

test.each([
  ['timer', 'uncaught exception', 'Error: thrown in a timer', 'crashing.ts'],
  ['rejection', 'unhandled rejection', 'Error: rejected', 'crashing.ts'],
  ['worker', 'uncaught exception', 'Error: thrown in a worker', 'worker eval'],
  ['child', 'uncaught exception', 'Error: the child died by SIGSEGV', 'crashing.ts'],
])(
  'R-02: what nobody catches (%s) ends the program with 70 and one report on stderr and in a file',
  async (how, kind, error, place) => {
    const directory = path.join(temporaryDirectory(), 'crash');
    const { code, stderr } = await run(how, directory);
    expect(code).toBe(70);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    const report = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(report).toMatchObject({
      event: 'crashed',
      program: 'crashing',
      kind,
      error,
      thread: 'main',
      version: '1.2.3',
      stack: expect.stringContaining(place),
      pid: expect.any(Number),
      uptimeSeconds: expect.any(Number),
    });
    expect(onlyReport(directory)).toEqual(report);
  },
);

test('R-02: the report tells the causes, and needs no directory', async () => {
  const { code, stderr } = await run('timer');
  expect(code).toBe(70);
  expect(JSON.parse(stderr)).toMatchObject({ causes: ['Error: the cause', 'unknown: its own'] });
});

test('R-02: the newest reports are kept, up to the limit', async () => {
  const directory = path.join(temporaryDirectory(), 'crash');
  mkdirSync(directory);
  for (let index = 0; index < limits.crashReportsKept; index += 1) {
    writeFileSync(
      path.join(directory, `2020-01-01T00-00-${String(index).padStart(2, '0')}.000Z-1.json`),
      '{}',
    );
  }
  await run('timer', directory);
  const kept = readdirSync(directory).sort();
  expect(kept).toHaveLength(limits.crashReportsKept);
  expect(kept[0]).toContain('00-00-01');
  expect(kept.at(-1)).not.toContain('2020');
});

test('R-02: a directory that cannot be written costs the file, not the line', async () => {
  const { code, stderr } = await run('timer', '/proc/nowhere');
  expect(code).toBe(70);
  expect(JSON.parse(stderr)).toMatchObject({ error: 'Error: thrown in a timer' });
});
