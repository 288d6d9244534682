import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const program = path.resolve(import.meta.dirname, '../../fixtures/programs/crashing.ts');

function run(how: string): Promise<{ code: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, how], { timeout: 10_000 }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
}

test.each([
  ['timer', 'uncaught exception', 'Error: thrown in a timer'],
  ['rejection', 'unhandled rejection', 'Error: rejected'],
])('R-02: a throw in a %s ends the program with 70 and one report', async (how, kind, error) => {
  const { code, stderr } = await run(how);
  expect(code).toBe(70);
  const lines = stderr.trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    event: 'crashed',
    kind,
    error,
    stack: expect.stringContaining('crashing.ts'),
  });
});

test('the report tells the cause', async () => {
  expect(JSON.parse((await run('timer')).stderr)).toMatchObject({ cause: 'Error: the cause' });
});
