// What the manager is asked, with a systemctl of the test's own in front of the machine's.
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { pendingJobOf } from '../../../src/platform/service-manager.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

function systemctlThat(script: string): void {
  const folder = temporaryDirectory();
  const file = path.join(folder, 'systemctl');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
}

it('R-17: a stop is told from a restart, for this unit and no other', async () => {
  systemctlThat(`[ "$1" = list-jobs ] || exit 1
cat <<'END'
 12 other.service          stop    running
134 musicfs@a.service      restart running
135 musicfs@b.service      stop    waiting
136 musicfs@c.service      start   waiting
137 musicfs@d.service      reload  waiting
138 musicfs@e\\x2df.service stop    running
END`);
  expect(await pendingJobOf('musicfs@a.service')).toBe('restart');
  expect(await pendingJobOf('musicfs@b.service')).toBe('stop');
  expect(await pendingJobOf('musicfs@c.service')).toBe('start');
  expect(await pendingJobOf('musicfs@d.service')).toBeNull();
  expect(await pendingJobOf('musicfs@e\\x2df.service')).toBe('stop');
  expect(await pendingJobOf('musicfs@e*.service')).toBeNull();
  expect(await pendingJobOf('musicfs.service')).toBeNull();
});

it('R-17: a manager that says nothing within a second is not waited for', async () => {
  systemctlThat('echo "1 musicfs.service stop running"; exec sleep 30');
  const startedAtMs = performance.now();
  expect(await pendingJobOf('musicfs.service')).toBeNull();
  expect(performance.now() - startedAtMs).toBeLessThan(3000);
});

it('R-17: a manager that is not there is no answer', async () => {
  systemctlThat('echo "System has not been booted with systemd" >&2; exit 1');
  expect(await pendingJobOf('musicfs.service')).toBeNull();
  vi.stubEnv('PATH', temporaryDirectory());
  expect(await pendingJobOf('musicfs.service')).toBeNull();
});
