// A network that falls apart: no reset and no refusal tells that the server cannot be reached any more.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import { OriginGate } from '../../../src/origins/origin-gate.ts';
import { limitsByKind } from '../../../src/origins/origin-limits.ts';
import { WebdavOrigin } from '../../../src/origins/webdav-origin.ts';
import { codeOf } from '../../../src/platform/errors.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { fastClock } from '../../fixtures/fast-clock.ts';
import { partitionedWebdav } from '../../fixtures/partition.ts';
import { webdavCredentials } from '../../fixtures/webdav-harness.ts';

const times = 10;
const never = new AbortController().signal;
const name = realPath('song.flac');
const bytes = filler(500_000, 3);

test('R-18: a server that is cut off in silence: each call ends at its limit, the third closes the way, then EIO at once; found again within a minute', async () => {
  const server = await partitionedWebdav();
  writeFileSync(path.join(server.folder, 'song.flac'), bytes);
  const origin = new WebdavOrigin({ id: 'nas', url: server.url, credentials: webdavCredentials });
  const version = await origin.stat(name, never);
  const gate = new OriginGate({
    ...{ origin, priority: 1, limits: limitsByKind.webdav, clock: fastClock(times), random: () => 0.5 },
    ...{ wasDown: false, onHealth: () => undefined },
  });
  onTestFinished(() => gate.close());
  const read = async (offset: number) => {
    const began = performance.now();
    const parts: Uint8Array[] = [];
    let code = 'ok';
    try {
      for await (const part of gate.readRange(name, version, offset, 1_000, 'foreground', never))
        parts.push(part);
      if (!Buffer.concat(parts).equals(bytes.subarray(offset, offset + 1_000))) code = 'WRONG';
    } catch (error) {
      code = codeOf(error);
    }
    return { code, ms: performance.now() - began };
  };
  expect((await read(0)).code).toBe('ok');
  server.cut();
  // The first finds a connection that is kept, and the others make new ones.
  const first = await read(1_000);
  expect(first.code).toBe('deadline_exceeded');
  expect(first.ms).toBeGreaterThan(10_000 / times - 50);
  expect(first.ms).toBeLessThan(10_000 / times + 500);
  await eventually('its breaker is open', async () => {
    await read(2_000);
    return gate.candidate().isOpen;
  });
  expect(gate.health.state).toBe('unhealthy');
  for (let at = 3; at < 8; at += 1) {
    const { code, ms } = await read(at * 1_000);
    expect(code).toBe('origin_unavailable');
    expect(ms).toBeLessThanOrEqual(50);
  }
  server.mend();
  await eventually('it is found again', () => gate.health.state === 'healthy', 60_000 / times);
  expect((await read(9_000)).code).toBe('ok');
}, 30_000);
