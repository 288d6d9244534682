import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findSockets,
  instanceIdOf,
  socketCandidatesFor,
  socketPathFor,
  stateDirectoryFor,
  stateRootFor,
} from '../../../src/platform/instance-paths.ts';

describe('the id of a mount point', () => {
  it('reads like its last part and differs by the whole path', () => {
    expect(instanceIdOf('/mnt/music')).toMatch(/^music-[0-9a-f]{8}$/);
    expect(instanceIdOf('/mnt/music')).not.toBe(instanceIdOf('/srv/music'));
  });

  it('never changes: the state of an installed system is found by it', () => {
    expect(instanceIdOf('/mnt/music')).toBe('music-cf32901f');
  });

  it('does not depend on how the path is written', () => {
    expect(instanceIdOf('/mnt/music/')).toBe(instanceIdOf('/mnt//music'));
  });

  it('is a short plain name whatever the path is called', () => {
    for (const point of [
      '/',
      '/mnt/日本',
      '/mnt/Ünï çödé & more',
      `/mnt/${'x'.repeat(300)}`,
      '/mnt/---',
      '/mnt/..a',
    ]) {
      expect(instanceIdOf(point), point).toMatch(/^[a-z0-9][a-z0-9-]{0,23}-[0-9a-f]{8}$/);
    }
    expect(instanceIdOf('/mnt/Ünïcode')).toMatch(/^unicode-/);
  });
});

describe('state and sockets', () => {
  it('of root lie in /var/lib and /run', () => {
    expect(stateDirectoryFor('/m', {}, 0)).toBe(`/var/lib/musicfs/${instanceIdOf('/m')}`);
    expect(socketPathFor('/m', '/state', {}, 0)).toBe(`/run/musicfs/${instanceIdOf('/m')}/control.sock`);
  });

  it('of a user lie in the XDG folders, or below the home', () => {
    expect(stateRootFor({ HOME: '/home/a' }, 1000)).toBe('/home/a/.local/state/musicfs');
    expect(stateRootFor({ HOME: '/home/a', XDG_STATE_HOME: '/s' }, 1000)).toBe('/s/musicfs');
    expect(socketPathFor('/m', '/state', { XDG_RUNTIME_DIR: '/run/user/1000' }, 1000)).toBe(
      `/run/user/1000/musicfs/${instanceIdOf('/m')}/control.sock`,
    );
    expect(socketPathFor('/m', '/state', {}, 1000)).toBe('/state/control.sock');
  });

  it('ignore relative XDG folders', () => {
    expect(stateRootFor({ HOME: '/home/a', XDG_STATE_HOME: 's' }, 1000)).toBe('/home/a/.local/state/musicfs');
  });

  it('of a user without a home are refused with the way out', () => {
    expect(() => stateRootFor({}, 1000)).toThrow(/--state DIR/);
  });

  it('are searched where any environment may have put them', () => {
    const env = { HOME: '/home/a', XDG_RUNTIME_DIR: '/run/user/0' };
    expect(
      socketCandidatesFor('/m', env, 0).map((candidate) => candidate.split(instanceIdOf('/m'))[0]),
    ).toEqual(['/run/user/0/musicfs/', '/run/musicfs/', '/var/lib/musicfs/']);
  });

  it('are all found, and nothing that is no socket', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'musicfs-find-'));
    const env = { HOME: folder, XDG_RUNTIME_DIR: path.join(folder, 'run') };
    const runtime = path.join(folder, 'run/musicfs/a-1');
    const state = path.join(folder, '.local/state/musicfs/b-2');
    for (const place of [runtime, state, path.join(folder, 'run/musicfs/c-3')])
      mkdirSync(place, { recursive: true });
    writeFileSync(path.join(folder, 'run/musicfs/c-3/control.sock'), '');
    const expected = [runtime, state].map((place) => path.join(place, 'control.sock')).sort();
    const servers = expected.map((socket) => createServer().listen(socket));
    await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
    expect(findSockets(env, 1000)).toEqual(expected);
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });
});
