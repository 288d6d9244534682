// The daemon under a service manager, which is the test: what it is told, and when.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { endOf, startChild } from '../fixtures/limited-child.ts';
import { newLibrary } from '../fixtures/mounted.ts';
import { NotifyReceiver } from '../fixtures/notify-receiver.ts';

const musicfsd = path.resolve(import.meta.dirname, '../../bin/musicfsd');

test('R-10: READY is said when the mount has answered, not before; a stop takes the descriptors back', async () => {
  const library = newLibrary((root) => writeFlacLibrary(root, { files: 20, albums: 2 }));
  const socket = path.join(library.folder, 'notify');
  const receiver = new NotifyReceiver(socket);
  const told: string[] = [];
  const hear = () => {
    for (let next = receiver.receive(); next !== null; next = receiver.receive()) {
      told.push(...next.text.split('\n'), ...next.inodes.map(() => 'a descriptor'));
    }
    return told;
  };
  const args = [
    '--mount-point',
    library.mountPoint,
    '--origin',
    library.origin,
    '--state',
    library.stateDirectory,
  ];
  const startedAtMs = performance.now();
  const daemon = startChild(musicfsd, [...args, '--failpoint', 'fuse.init.before-reply=delay(2500)'], {
    env: { ...library.env, NOTIFY_SOCKET: socket },
  });
  const ended = endOf(daemon, 'musicfsd', { limitMs: 60_000, mountPoints: [library.mountPoint] });
  await eventually('the session is stored', () => hear().includes('FDNAME=musicfs-fuse'));
  expect(told.filter((line) => line === 'FDSTORE=1' || line === 'a descriptor')).toHaveLength(4);
  expect(told).not.toContain('READY=1');
  await eventually('it is ready', () => hear().includes('READY=1'), 15_000);
  expect(performance.now() - startedAtMs).toBeGreaterThan(2_500);
  expect(told).toContain('WATCHDOG=1');
  expect(told.join('\n')).toMatch(/STATUS=(ready|syncing), \d+ files, 1 of 1 origins, 0 restarts/);
  expect(await library.shell('find $M -maxdepth 1 | wc -l')).not.toBe('0');
  expect((await library.status()).keptBy).toBe('systemd');

  daemon.kill('SIGHUP');
  await eventually('it has read its configuration', () => {
    const lines = hear();
    return lines.includes('RELOADING=1') && lines.lastIndexOf('READY=1') > lines.indexOf('RELOADING=1');
  });
  expect(told.some((line) => /^MONOTONIC_USEC=\d+$/.test(line))).toBe(true);

  daemon.kill('SIGTERM');
  expect((await ended).code).toBe(0);
  hear();
  expect(told.indexOf('STOPPING=1')).toBeGreaterThan(told.indexOf('READY=1'));
  expect(told.filter((line) => line === 'FDSTOREREMOVE=1')).toHaveLength(2);
  expect([library.isMounted(), existsSync(library.socketPath)]).toEqual([false, false]);
}, 60_000);
