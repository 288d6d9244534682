// Each failpoint at its place: the fault is what it says it is, and the daemon bears it.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SupervisionNode } from '../../src/control/client.ts';
import { makeFlac } from '../fixtures/audio-files.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { type Library, mountLibrary, mountSharedLibrary } from '../fixtures/mounted.ts';
import { actorNamed } from './harness/scene.ts';

const files = { files: 40, albums: 4 };
let library: Library;

beforeAll(async () => {
  library = await mountSharedLibrary({
    origin: (root) => writeFlacLibrary(root, files),
    env: { MUSICFS_TEST_RESTART_RESET_MS: '100' },
  });
});

afterAll(() => library.remove());

afterEach(async () => {
  await library.clearFailpoints();
  expect(library.log().filter(({ event }) => event === 'crashed')).toEqual([]);
});

/** The actor, once it runs in a later life than `before`. */
function nextLife(before: SupervisionNode, deadlineMs = 15_000): Promise<SupervisionNode> {
  return eventually(
    `${before.id} is started again`,
    async () => {
      const now = await actorNamed(library, before.id);
      return now.state === 'running' && now.incarnation > before.incarnation && now;
    },
    deadlineMs,
  );
}

/** A file of the mount with its node id and what it is on the origin. */
async function fileAt(index: number): Promise<{ file: string; node: string; real: string }> {
  const file = await library.shell(`find $M -type f | sort | sed -n ${index}p`);
  const env = { F: file };
  return {
    file,
    node: await library.shell('stat -c %i "$F"', { env }),
    real: await library.shell('getfattr --only-values -n user.musicfs.real_path "$F"', { env }),
  };
}

/** Reads it past the page cache and compares it with the origin's. */
const compared = ({ file, real }: { file: string; real: string }) =>
  library.tryShell('dd if="$F" iflag=direct bs=64k status=none | cmp - "$O/$R"', {
    env: { F: file, R: real },
    limitMs: 20_000,
  });

describe('an origin', () => {
  test('R-43: origin.list=error(…): the scan is incomplete and removes nothing; the next one is whole', async () => {
    await library.failpoint('origin.list=error(permission_denied);count=1');
    await library.rescan();
    const { warnings, files: listed } = await library.status();
    expect(warnings.join()).toContain('did not meet everything');
    expect(listed).toBe(files.files);
    await library.rescan();
    expect((await library.status()).warnings.join()).not.toContain('did not meet everything');
  });

  test('R-43: origin.probe=error(…): a scan that finds no origin says so and removes nothing; the next finds it well', async () => {
    await library.failpoint('origin.probe=error(origin_unavailable);count=1');
    await expect(library.rescan()).rejects.toThrow('failpoint origin.probe');
    const changes = library.log().filter(({ event }) => event === 'origin_health_changed');
    expect(changes.at(-1)).toMatchObject({ from: 'healthy', to: 'unhealthy', code: 'origin_unavailable' });
    expect((await library.status()).files).toBe(files.files);
    expect((await compared(await fileAt(1))).code).toBe(0);
    await library.rescan();
    expect((await library.status()).origins.map(({ state }) => state)).toEqual(['healthy']);
  });

  test('R-43: origin.stat=error(…): a file that may be gone stays until a second look can say so', async () => {
    const added = path.join(library.origin, 'short-lived.flac');
    writeFileSync(added, makeFlac([['TITLE', 'Short-lived']]));
    await library.rescan();
    rmSync(added);
    await library.failpoint('origin.stat=error(origin_unavailable)');
    await expect(library.rescan()).rejects.toThrow(/origin\.stat/);
    expect((await library.status()).files).toBe(files.files + 1);
    await library.clearFailpoints();
    expect(await library.rescan()).toContain('1 removed');
    expect((await library.status()).files).toBe(files.files);
  });

  test('R-43: scan.walk=error(…) for one folder: what lies below it stays, the rest is scanned', async () => {
    const added = path.join(library.origin, 'Artist 0/Album 1/late.flac');
    writeFileSync(added, makeFlac([['TITLE', 'Late']]));
    await library.failpoint('scan.walk=error(origin_unavailable);only=Artist 0/Album 0');
    expect(await library.rescan()).toContain('1 added');
    expect((await library.status()).files).toBe(files.files + 1);
    expect((await library.status()).scan.errors).toBe(1);
    rmSync(added);
    await library.clearFailpoints();
    await library.rescan();
  });

  test('origin.read.open=error(…) for one node: its reads fail EIO, those of others do not', async () => {
    const [one, other] = [await fileAt(1), await fileAt(2)];
    await library.failpoint(`origin.read.open=error(origin_unavailable);only=${one.node}`);
    expect((await compared(one)).stderr).toContain('Input/output error');
    expect(await compared(other)).toMatchObject({ code: 0 });
  });

  test('origin.read.body=delay(…): a slow read is late and right', async () => {
    const one = await fileAt(3);
    await library.failpoint(`origin.read.body=delay(600);only=${one.node};count=1`);
    const startedAtMs = performance.now();
    expect(await compared(one)).toMatchObject({ code: 0 });
    expect(performance.now() - startedAtMs).toBeGreaterThan(600);
  });

  test('origin.read.body=corrupt(…): wrong bytes are seen by who compares', async () => {
    const one = await fileAt(4);
    await library.failpoint(`origin.read.body=corrupt(3);only=${one.node}`);
    const { code, stdout } = await compared(one);
    expect(code).toBe(1);
    expect(stdout).toContain('differ: byte 1,');
    await library.clearFailpoints();
    expect(await compared(one)).toMatchObject({ code: 0 });
  });
});

describe('the catalog', () => {
  test('R-04: catalog.read=error(…): a name is EIO, never ENOENT, and the thread lives on', async () => {
    const before = await actorNamed(library, 'fuse-handler');
    await library.failpoint('catalog.read=error(unavailable)');
    const { stderr } = await library.tryShell('stat "$M/never heard of"');
    expect(stderr).toContain('Input/output error');
    await library.clearFailpoints();
    expect((await library.tryShell('stat "$M/never heard of either"')).stderr).toContain('No such file');
    expect((await actorNamed(library, 'fuse-handler')).incarnation).toBe(before.incarnation);
  });

  test.each(['catalog.commit.before=crash;count=1', 'catalog.commit.after=crash;count=1'])(
    'R-09: %s: the scan is begun again and each file is listed once',
    async (setting) => {
      const before = await actorNamed(library, 'catalog-writer');
      const added = path.join(library.origin, 'committed.flac');
      writeFileSync(added, makeFlac([['TITLE', 'Committed']]));
      await library.failpoint(setting);
      await library.startScan();
      expect((await nextLife(before)).lastError?.message).toContain('failpoint catalog.commit');
      await eventually('the scan has ended', async () => {
        const { scan, files: listed } = await library.status();
        return !scan.running && scan.phase === 'done' && listed === files.files + 1;
      });
      expect(await library.shell('find $M -name "*Committed*" | wc -l')).toBe('1');
      rmSync(added);
      await library.rescan();
      expect((await library.status()).files).toBe(files.files);
    },
  );

  test('R-52: catalog.migrate=error(…): the start is refused and leaves nothing; the next one is as if it had not been', async () => {
    const other = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 4, albums: 1 }) });
    await other.unmount();
    rmSync(other.stateDirectory, { recursive: true });
    const refused = await other.tryMount(['--failpoint', 'catalog.migrate=error(internal)']);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('could not be brought from schema 0 to 1'),
    });
    expect(other.isMounted()).toBe(false);
    await other.mount();
    expect((await other.status()).files).toBe(4);
  });

  test('catalog.checkpoint=abort: death at the very end of a stop loses nothing', async () => {
    const other = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 4, albums: 1 }) });
    await other.failpoint('catalog.checkpoint=abort');
    const sizeOfLog = () => other.shell(`stat -c %s ${other.stateDirectory}/catalog.db-wal`);
    await other.unmount();
    expect(Number(await sizeOfLog())).toBeGreaterThan(0);
    await other.mount({ wait: false });
    expect((await other.status()).files).toBe(4);
    expect(await other.shell('find $M -type f | wc -l')).toBe('4');
  });
});

describe('the session', () => {
  test('fuse.session.read=error(cancelled): a read of the device that was interrupted is done again', async () => {
    const before = await actorNamed(library, 'fuse-handler');
    await library.failpoint('fuse.session.read=error(cancelled);p=0.5');
    for (let index = 1; index <= 8; index += 1)
      expect(await compared(await fileAt(index))).toMatchObject({ code: 0 });
    expect((await actorNamed(library, 'fuse-handler')).incarnation).toBe(before.incarnation);
    await library.failpoint('fuse.session.read=crash;count=1');
    expect((await nextLife(before)).lastError?.message).toBe('failpoint fuse.session.read: crash');
    expect(await compared(await fileAt(9))).toMatchObject({ code: 0 });
  });

  test('fuse.init.before-reply=delay(…): the mount takes that long, and then stands', async () => {
    const origin = (root: string) => writeFlacLibrary(root, { files: 4, albums: 1 });
    const startedAtMs = performance.now();
    const other = await mountLibrary({
      origin,
      args: ['--failpoint', 'fuse.init.before-reply=delay(1500)'],
    });
    expect(performance.now() - startedAtMs).toBeGreaterThan(1_500);
    expect(await other.shell('find $M -type f | wc -l')).toBe('4');
  });

  test('R-50: fuse.notify.before-write=crash: what was not told is told by the next life', async () => {
    await library.shell('ls -R $M'); // the kernel remembers the listings
    const before = await actorNamed(library, 'fuse-handler');
    const added = path.join(library.origin, 'told.flac');
    writeFileSync(added, makeFlac([['TITLE', 'Told']]));
    await library.failpoint('fuse.notify.before-write=crash;count=1');
    await library.startScan();
    expect((await nextLife(before)).lastError?.message).toBe('failpoint fuse.notify.before-write: crash');
    await eventually('the new name is listed', async () =>
      (await library.shell('ls -R $M')).includes('Told'),
    );
    rmSync(added);
    await eventually('no scan runs', async () => !(await library.status()).scan.running);
    await library.rescan();
  });
});

describe('supervision', () => {
  test('actor.indexer.heartbeat=hang: one that works but answers no ping counts as hung', async () => {
    const before = await actorNamed(library, 'indexer');
    await library.failpoint('actor.indexer.heartbeat=hang');
    const { lastError } = await nextLife(before, 20_000);
    expect(lastError?.message).toMatch(/^no handler has returned for/);
  }, 40_000);

  test('actor.origin-lane.local.start=error(…): a start that fails is tried again', async () => {
    const before = await actorNamed(library, 'origin-lane.local');
    await library.failpoint('actor.origin-lane.local.start=error(unavailable);count=1');
    await library.failpoint('actor.origin-lane.local.handle=crash;count=1');
    await library.startScan().catch(() => undefined);
    const after = await eventually('its third life', async () => {
      const now = await actorNamed(library, before.id);
      return now.state === 'running' && now.incarnation === before.incarnation + 2 && now;
    });
    expect(after.lastError?.message).toContain('actor.origin-lane.local.start');
    await eventually('no scan runs', async () => !(await library.status()).scan.running);
  });

  test('supervisor.before-restart=delay(…) for one actor: it stays down that long, others do not', async () => {
    await library.failpoint('supervisor.before-restart=delay(4000);only=indexer');
    const [indexer, lane] = [
      await actorNamed(library, 'indexer'),
      await actorNamed(library, 'origin-lane.local'),
    ];
    await library.failpoint('actor.indexer.handle=crash;count=1');
    await library.failpoint('actor.origin-lane.local.handle=crash;count=1');
    const [later, earlier] = await Promise.all([nextLife(indexer), nextLife(lane)]);
    const downMs = ({ startedMs, lastError }: SupervisionNode) => (startedMs ?? 0) - (lastError?.atMs ?? 0);
    expect(downMs(later)).toBeGreaterThanOrEqual(3_990); // both times are rounded
    expect(downMs(earlier)).toBeLessThan(3_500);
    await eventually('no scan runs', async () => !(await library.status()).scan.running);
  });

  test('R-49: main.block=delay(…): while the main thread stands, names and bytes are served', async () => {
    const one = await fileAt(5);
    await library.failpoint('main.block=delay(4000);count=1');
    await library.shell('sleep 1.2'); // the fuse handler looks at its thread each second
    const status = library.status();
    const startedAtMs = performance.now();
    expect(await compared(one)).toMatchObject({ code: 0 });
    await library.shell('ls -lR $M && stat "$M/nothing" 2>/dev/null || true');
    const servedMs = performance.now() - startedAtMs;
    await status;
    const statusMs = performance.now() - startedAtMs;
    expect(statusMs).toBeGreaterThan(1_500);
    expect(servedMs).toBeLessThan(statusMs);
  });
});

describe('the process', () => {
  test('control.handle=error(…) for one method: it is refused, others are answered', async () => {
    await library.failpoint('control.handle=error(overloaded);only=GetStatus;count=1');
    expect((await library.tree()).id).toBe('root');
    await expect(library.status()).rejects.toMatchObject({ code: 'overloaded' });
    expect((await library.status()).files).toBe(files.files);
  });

  test('R-19: lock.acquire=error(…): a start without its lock is refused', async () => {
    const other = await mountLibrary({ origin: (root) => writeFlacLibrary(root, { files: 4, albums: 1 }) });
    await other.unmount();
    const refused = await other.tryMount(['--failpoint', 'lock.acquire=error(unavailable)']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('lock.acquire') });
    expect(other.isMounted()).toBe(false);
  });

  test('a failpoint that does not exist is refused before anything is touched', async () => {
    const refused = await library.run([
      'mount',
      '/nonexistent',
      '--origin',
      '/tmp',
      '--failpoint',
      'no.such=crash',
    ]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown name; known: actor.'),
    });
  });
});
