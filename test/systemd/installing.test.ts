// `musicfs install-service` and what it refuses, each with the line that mends it, on a machine of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Machine, trees } from './booted.ts';
import { musicfs } from './service-under-test.ts';

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.boot();
  mkdirSync(path.join(machine.srv, 'music/album'), { recursive: true });
  writeFileSync(path.join(machine.srv, 'music/album/1.flac'), '');
});

afterAll(async () => {
  await machine?.remove();
});

const arguments_ = ['--origin', '/srv/music', '--mount-point', '/mnt/music', '--no-start'];

/** Installs without starting; the words stand in front of the command. */
function install(name: string, { words = [], more = arguments_, program = musicfs }: Partial<Install> = {}) {
  return machine.run([...words, program, 'install-service', name, ...more]);
}

interface Install {
  readonly words: readonly string[];
  readonly more: readonly string[];
  readonly program: string;
}

it('R-17: a second run changes nothing and says so', async () => {
  const first = await install('twice');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  for (const done of ['made the user musicfs', 'wrote /etc/fuse.conf', 'enabled musicfs@twice.service']) {
    expect(first.stdout).toContain(done);
  }
  const stamps = ['find', '/etc', '-newer', '/etc/systemd/system/musicfs@.service', '-printf', '%p %T@\n'];
  const before = await machine.must(stamps);
  const second = await install('twice');
  expect(second.stdout).toBe(
    'nothing changed: all is as it should be\nmusicfs@twice.service is not started, mount point /mnt/music\n',
  );
  expect(await machine.must(stamps)).toBe(before);
  expect(await machine.must(['grep', '-c', '^user_allow_other$', '/etc/fuse.conf'])).toBe('1');
});

it('R-17: what a service is to do is written where it says', async () => {
  await machine.write('/srv/own.toml', '[mount]\npoint = "/mnt/own"\n[[origins]]\npath = "music"\n');
  const more = ['--config', '/srv/own.toml', '--passthrough', '--user', 'root', '--no-start'];
  expect(await install('own', { more })).toMatchObject({ code: 0 });
  expect(await machine.must(['readlink', '/etc/musicfs/own.toml'])).toBe('/srv/own.toml');
  const shown = await machine.must([
    'systemctl',
    'show',
    '-p',
    'User',
    '-p',
    'AmbientCapabilities',
    'musicfs@own',
  ]);
  expect(shown.split('\n').sort()).toEqual(['AmbientCapabilities=cap_sys_admin', 'User=root']);
  expect(await machine.must(['systemctl', 'show', '-p', 'User', 'musicfs-cleanup@own'])).toBe('User=root');
  // Asked for without, it is without.
  expect(await install('own', { more: ['--no-start'] })).toMatchObject({ code: 0 });
  expect(await machine.must(['systemctl', 'show', '-p', 'User', 'musicfs@own'])).toBe('User=musicfs');
});

it('R-17: only root installs', async () => {
  const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
  expect(await install('x', { words: asNobody })).toMatchObject({
    code: 5,
    stderr: 'musicfs: services are made by root: run this with sudo\n',
  });
});

it('R-17: without systemd there are other ways', async () => {
  const hidden = 'mount -t tmpfs tmpfs /run/systemd && exec "$0" "$@"';
  const { code, stderr } = await install('x', { words: ['unshare', '--mount', 'sh', '-c', hidden] });
  expect(code).toBe(5);
  expect(stderr).toMatch(/^musicfs: this machine was not started by systemd: use musicfs mount.*\n$/);
});

it('R-17: a tree in a closed home is told where to go', async () => {
  await machine.must(['mkdir', '-p', '/root/musicfs']);
  await machine.must(['mount', '--bind', trees.first, '/root/musicfs']);
  const { code, stderr } = await install('x', { program: '/root/musicfs/bin/musicfs' });
  expect(code).toBe(5);
  expect(stderr).toBe(
    'musicfs: the user musicfs cannot reach /root/musicfs/bin, as /root is closed to others: move this tree to /opt, say, or setfacl -m u:musicfs:x /root\n',
  );
});

it('R-17: a tree without the Node that belongs to it is told how to get it', async () => {
  // The installer runs on a Node that only root has; the service would find none.
  await machine.must(['mkdir', '-p', '/opt/bare']);
  await machine.must(['mount', '--bind', trees.first, '/opt/bare']);
  const bare =
    'mount --bind "$1" /opt/bare/node_modules/.bin && exec "$2" /opt/bare/src/cli/main.ts install-service x';
  const node = await machine.must(['readlink', '-f', `${trees.first}/node_modules/.bin/node`]);
  const { code, stderr } = await machine.run([
    ...['unshare', '--mount', 'sh', '-c', bare, 'sh', '/srv', node, ...arguments_],
  ]);
  expect(code).toBe(5);
  expect(stderr).toBe(
    "musicfs: the user musicfs cannot run this tree: Node 24 is needed, found: none is on PATH. Run: (cd '/opt/bare' && npm ci)\n",
  );
});

it('R-17: an origin that the service may not read is named with the line that lets it', async () => {
  await machine.must(['useradd', '--create-home', 'alice']);
  await machine.must(['mkdir', '-p', '/home/alice/Music/secret']);
  await machine.must(['chmod', '750', '/home/alice']);
  await machine.must(['chown', '-R', 'alice:alice', '/home/alice']);
  const more = ['--origin', '/home/alice/Music', '--mount-point', '/mnt/alice', '--no-start'];
  const closed = await install('alice', { more });
  expect(closed.code).toBe(5);
  expect(closed.stderr).toBe(
    'musicfs: the user musicfs cannot reach /home/alice/Music, as /home/alice is closed to others: usermod -aG alice musicfs\n',
  );
  await machine.must(['usermod', '-aG', 'alice', 'musicfs']);
  await machine.must(['chmod', '700', '/home/alice/Music/secret']);
  const { code, stderr } = await install('alice', { more });
  expect(code).toBe(5);
  expect(stderr).toMatch(/^musicfs: the user musicfs cannot read \/home\/alice\/Music\/secret: /);
  await machine.must(['chmod', '750', '/home/alice/Music/secret']);
  expect(await install('alice', { more })).toMatchObject({ code: 0 });
});

it.each([
  [
    'nothing to go by',
    [],
    2,
    /rock\.toml does not exist: name --origin DIR and --mount-point DIR, or --config/,
  ],
  ['no mount point', ['--origin', '/srv/music'], 2, /where to: name the mount point with --mount-point DIR/],
  [
    'a missing origin',
    ['--origin', '/srv/none', '--mount-point', '/mnt/rock'],
    5,
    /\/srv\/none does not exist/,
  ],
  ['a full mount point', ['--origin', '/srv/music', '--mount-point', '/etc'], 5, /\/etc is not empty/],
  [
    'a busy mount point',
    ['--origin', '/srv/music', '--mount-point', '/proc'],
    5,
    /\/proc is busy: proc is mounted/,
  ],
  [
    'an unknown user',
    ['--origin', '/srv/music', '--mount-point', '/mnt/rock', '--user', 'bob'],
    5,
    /no user bob/,
  ],
])('R-17: %s is refused in one line, and nothing of it is kept', async (_what, more, code, line) => {
  const refused = await install('rock', { more });
  expect(refused).toMatchObject({ code, stdout: '' });
  expect(refused.stderr).toMatch(line);
  expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  await machine.must(['test', '!', '-e', '/etc/musicfs/rock.toml']);
  expect(await machine.must(['systemctl', 'is-enabled', 'musicfs@rock']).catch(() => 'no')).not.toBe(
    'enabled',
  );
});
