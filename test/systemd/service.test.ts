// The service under a real systemd: the six ways in which a life can end, what is left after each, and readers that
// began before and go on. One machine for all; the tests build on each other only in that they share its services.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CheckedReaders } from '../fixtures/checked-readers.ts';
import { eventually } from '../fixtures/eventually.ts';
import { writeFlacLibrary } from '../fixtures/flac-library.ts';
import { Machine, trees } from './booted.ts';
import { musicfs, ServiceUnderTest } from './service-under-test.ts';

const files = 24;
const origin = '/srv/music';
/** Two checks 30 s and 5 s apart, as the unit has them, and a life that begins after them. */
const watchdogMs = 40_000;

let machine: Machine;
let jazz: ServiceUnderTest;
/** Stopped by a signal before the first test, looked at by the last ones: the watchdog takes its time. */
let deaf: ServiceUnderTest;
let deafReaders: CheckedReaders;
let deafLife = 0;
let deafDevices: readonly string[] = [];
let deafSinceMs = 0;

beforeAll(async () => {
  machine = await Machine.boot();
  writeFlacLibrary(path.join(machine.srv, 'music'), { files, albums: 6 });
  jazz = new ServiceUnderTest(machine, 'jazz');
  deaf = new ServiceUnderTest(machine, 'deaf');
  for (const service of [jazz, deaf]) {
    await service.install(origin);
    await service.hasScanned(files);
  }
  deafReaders = await readersOf(deaf, watchdogMs + 20_000);
  await deafReaders.readAllOnce();
  deafLife = await deaf.mainPid();
  deafDevices = await deaf.mounts();
  await deaf.kill('STOP');
  deafSinceMs = performance.now();
});

afterAll(async () => {
  await machine?.remove();
});

function readersOf({ mountPoint }: ServiceUnderTest, roundMs?: number): Promise<CheckedReaders> {
  const place = {
    mountPoint,
    origin,
    start: (program: string, args: readonly string[]) => machine.startProgram(program, args),
  };
  return CheckedReaders.over(place, files, roundMs === undefined ? {} : { roundMs });
}

it('R-10: a service is active when its mount answers, and says what it does', async () => {
  expect(await jazz.property('ActiveState')).toBe('active');
  expect(await jazz.property('Type')).toBe('notify');
  expect(await jazz.property('StatusText')).toMatch(/^\w+, \d+ files, 1 of 1 origins, 0 restarts$/);
  expect(await jazz.property('NFileDescriptorStore')).toBe('2');
  const status = await machine.must([musicfs, 'status', jazz.mountPoint, '--json']);
  expect(JSON.parse(status)).toMatchObject({ mountPoint: jazz.mountPoint, pid: await jazz.mainPid() });
});

it('R-17: the mount is seen from outside the unit, by everybody', async () => {
  const namespaceOf = (pid: number | string) => machine.must(['readlink', `/proc/${pid}/ns/mnt`]);
  expect(await namespaceOf(await jazz.mainPid())).toBe(await namespaceOf(1));
  expect(await jazz.mounts()).toHaveLength(1);
  const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
  const found = await machine.must([...asNobody, 'find', jazz.mountPoint, '-name', '*.flac']);
  expect(found.split('\n')).toHaveLength(files);
});

it('R-17: the service runs as a user of its own, without a capability', async () => {
  const status = await machine.must(['cat', `/proc/${await jazz.mainPid()}/status`]);
  const uid = await machine.must(['id', '-u', 'musicfs']);
  expect(status).toMatch(new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'));
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) {
    expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
  }
});

it('R-34: the unit has its limits', async () => {
  const names = [
    ...['LimitNOFILE', 'MemoryHigh', 'MemoryMax', 'TasksMax', 'CPUQuotaPerSecUSec', 'IOSchedulingClass'],
    ...[
      'IOSchedulingPriority',
      'OOMScoreAdjust',
      'StartLimitBurst',
      'StartLimitIntervalUSec',
      'WatchdogUSec',
    ],
    ...[
      'TimeoutStopUSec',
      'TimeoutAbortUSec',
      'RestartUSec',
      'Restart',
      'FileDescriptorStoreMax',
      'KillMode',
    ],
    ...['NotifyAccess', 'SuccessExitStatus', 'RestartPreventExitStatus'],
  ];
  const shown = await machine.must([
    'systemctl',
    'show',
    ...names.flatMap((name) => ['-p', name]),
    jazz.unit,
  ]);
  expect(Object.fromEntries(shown.split('\n').map((line) => line.split('=')))).toEqual({
    LimitNOFILE: '65536',
    MemoryHigh: String(2 ** 30),
    MemoryMax: String(2 ** 31),
    TasksMax: '4096',
    CPUQuotaPerSecUSec: '2s',
    IOSchedulingClass: '2', // best-effort
    IOSchedulingPriority: '4',
    OOMScoreAdjust: '200',
    StartLimitBurst: '30',
    StartLimitIntervalUSec: '1min',
    WatchdogUSec: '30s',
    TimeoutStopUSec: '20s',
    TimeoutAbortUSec: '5s',
    RestartUSec: '200ms',
    Restart: 'always',
    FileDescriptorStoreMax: '4',
    KillMode: 'process',
    NotifyAccess: 'main',
    SuccessExitStatus: '75',
    RestartPreventExitStatus: '2',
  });
});

it('R-17: systemd has nothing to say about the units', async () => {
  await machine.must([
    musicfs,
    'install-service',
    '--origin',
    origin,
    '--mount-point',
    '/mnt/all',
    '--no-start',
  ]);
  const units = ['musicfs.service', 'musicfs@jazz.service', 'musicfs-cleanup@jazz.service'];
  const { code, stdout, stderr } = await machine.run(['systemd-analyze', 'verify', ...units]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('R-17: a restart and a crash keep the session, and readers notice nothing', async () => {
  const readers = await readersOf(jazz);
  const devices = await jazz.mounts();
  for (const end of [() => jazz.systemctl('restart'), () => jazz.kill('KILL'), () => jazz.kill('KILL')]) {
    const before = await jazz.mainPid();
    await readers.readAllOnce();
    await end();
    await readers.readAllOnce();
    await jazz.nextLife(before);
    expect(await jazz.mounts()).toEqual(devices);
    expect(await jazz.property('NFileDescriptorStore')).toBe('2');
  }
  await readers.stop();
});

it('R-17: another checkout takes the service over, and readers notice nothing', async () => {
  const readers = await readersOf(jazz);
  const devices = await jazz.mounts();
  const before = await jazz.mainPid();
  const install = [`${trees.next}/bin/musicfs`, 'install-service', 'jazz'];
  const said = await machine.must(install, 60_000);
  expect(said).toContain('restarted musicfs@jazz.service');
  await readers.readAllOnce();
  const command = await machine.must(['cat', `/proc/${await jazz.nextLife(before)}/cmdline`]);
  expect(command).toContain(`${trees.next}/`);
  expect(await jazz.mounts()).toEqual(devices);
  await readers.readAllOnce();
  await readers.stop();
  expect(await machine.must(install)).toContain('nothing changed');
});

it.each([
  ['a stop', (service: ServiceUnderTest) => ['systemctl', 'stop', service.unit]],
  ['musicfs unmount', (service: ServiceUnderTest) => [musicfs, 'unmount', service.mountPoint]],
])('R-17: %s leaves nothing', async (_what, words) => {
  await machine.must(words(jazz), 60_000);
  expect(await jazz.leftovers()).toEqual([]);
  expect(await jazz.property('Result')).toBe('success');
  expect(await jazz.property('ActiveState')).toBe('inactive');
  await jazz.systemctl('start');
  expect(await jazz.mounts()).toHaveLength(1);
});

it('R-17: what another tree cannot take over by itself is told how it can', async () => {
  const upgrade = [`${trees.first}/bin/musicfs`, 'upgrade', jazz.mountPoint];
  const { code, stderr } = await machine.run(upgrade);
  expect(code).toBe(5);
  expect(stderr).toBe(
    `musicfs: it is a service of ${trees.next}: sudo ${trees.first}/bin/musicfs install-service NAME lets this tree take over\n`,
  );
  const before = await jazz.mainPid();
  await machine.must([musicfs, 'restart', jazz.mountPoint], 30_000);
  expect(await jazz.nextLife(before)).not.toBe(before);
});

it('R-17: with --passthrough only the daemon may hand files to the kernel, not what it starts', async () => {
  const loud = new ServiceUnderTest(machine, 'loud');
  await loud.install(origin, ['--passthrough']);
  await loud.hasScanned(files);
  const effective = 'grep -ls -- "$0" /proc/[0-9]*/cgroup | sed s/cgroup/status/ | xargs grep -Hs CapEff';
  const lines = (await machine.must(['sh', '-c', effective, loud.unit])).split('\n');
  const daemon = await loud.mainPid();
  const setsOf = (isWanted: (pid: number) => boolean) =>
    lines.filter((line) => isWanted(Number(line.split('/')[2]))).map((line) => line.split('\t')[1]);
  expect(setsOf((pid) => pid === daemon)).toEqual(['0000000000200000']);
  const others = setsOf((pid) => pid !== daemon);
  expect(others.length).toBeGreaterThan(0); // parsers stay for a while
  expect([...new Set(others)]).toEqual(['0000000000000000']);
  await machine.must([musicfs, 'uninstall-service', 'loud'], 60_000);
});

it('R-17: what a dead life started, and is stuck in the kernel, does not hold the next one up', async () => {
  const command = `"${trees.first}/bin/musicfsd" --config /etc/musicfs/%p.toml --state %S/musicfs/%p --unit %n`;
  await jazz.override([
    '[Service]',
    'ExecStart=',
    `ExecStart=${command.replaceAll('%p', jazz.name)} --failpoint origin.read.body=delay(3000)`,
  ]);
  for (const verb of ['stop', 'start']) await jazz.systemctl(verb); // a session keeps the failpoints it began with
  const before = await jazz.mainPid();
  const song = (await machine.must(['find', jazz.mountPoint, '-name', '*.flac', '-print', '-quit'])).trim();
  // In its group, and in a read that only the next life answers: it cannot be killed before.
  const script =
    'for p in $(find /sys/fs/cgroup -path "*$1/cgroup.procs"); do echo $$ > $p || exit 1; done; exec dd "if=$0" iflag=direct of=/dev/null bs=64k count=1';
  const stuck = machine.run(['sh', '-c', script, song, jazz.unit], 60_000);
  await eventually('it waits for its answer', async () => {
    return (await machine.run(['sh', '-c', 'grep -ls "(dd) D" /proc/[0-9]*/stat'])).code === 0;
  });
  const killedAtMs = performance.now();
  await jazz.kill('KILL');
  await jazz.nextLife(before, 60_000);
  expect(performance.now() - killedAtMs).toBeLessThan(10_000);
  expect((await stuck).code).toBe(0);
  await jazz.endOverride();
  for (const verb of ['stop', 'start']) await jazz.systemctl(verb);
});

it('R-17: a stop while it waits for its restart leaves nothing', async () => {
  await jazz.override(['[Service]', 'RestartSec=60']);
  await jazz.kill('KILL');
  await jazz.reaches('activating', 'auto-restart');
  expect(await jazz.mounts()).toHaveLength(1);
  await jazz.systemctl('stop');
  await jazz.isUnmounted();
  await eventually('nothing is left', async () => (await jazz.leftovers()).length === 0);
  await jazz.endOverride();
  await jazz.systemctl('start');
  expect(await jazz.mounts()).toHaveLength(1);
});

it('R-17: a stop while it has just crashed leaves nothing', async () => {
  // Time for the stop between the crash and the command that looks for it.
  await jazz.override([
    '[Service]',
    'ExecStopPost=',
    'ExecStopPost=sleep 2',
    `ExecStopPost=${await ownStopPost()}`,
  ]);
  await jazz.kill('KILL');
  await jazz.reaches('deactivating', 'stop-post');
  await jazz.systemctl('stop');
  expect(await jazz.mounts()).toEqual([]);
  await eventually('nothing is left', async () => (await jazz.leftovers()).length === 0);
  await jazz.endOverride();
});

it('R-17: a crash loop past the start limit ends in a failed service without a mount', async () => {
  await jazz.override(['[Unit]', 'StartLimitBurst=3']);
  await machine.must(['systemctl', 'reset-failed', jazz.unit]);
  await jazz.systemctl('start');
  const crash = async () => {
    const pid = await jazz.mainPid();
    if (pid !== 0) await machine.run(['sh', '-c', 'kill -KILL "$0"', String(pid)]);
    return (await jazz.property('ActiveState')) === 'failed';
  };
  await eventually('the start limit is reached', crash, 30_000);
  await jazz.isUnmounted();
  await eventually('nothing is left', async () => (await jazz.leftovers()).length === 0);
  await jazz.endOverride();
  await machine.must(['systemctl', 'reset-failed', jazz.unit]);
  await jazz.systemctl('start');
  expect(await jazz.mounts()).toHaveLength(1);
});

it('R-11: a daemon that is deaf is found by the watchdog, and readers get their bytes', async () => {
  const life = await deaf.nextLife(deafLife, deafSinceMs + watchdogMs - performance.now());
  expect(life).not.toBe(deafLife);
  expect(await deaf.mounts()).toEqual(deafDevices);
  await deafReaders.readAllOnce();
  await deafReaders.stop();
});

it('R-17: an uninstalled service leaves its configuration and its state, and no unit of its own', async () => {
  await machine.must([musicfs, 'uninstall-service', 'deaf'], 60_000);
  expect(await deaf.leftovers()).toEqual([]);
  await machine.must(['test', '-f', '/etc/musicfs/deaf.toml', '-a', '-d', '/var/lib/musicfs/deaf']);
  expect(await jazz.property('ActiveState')).toBe('active');
  const again = await machine.run([musicfs, 'uninstall-service', 'rock']);
  expect(again).toMatchObject({ code: 4, stdout: '' });
});

it('R-17: a machine that powers off unmounts first', async () => {
  const look =
    'grep -c " /mnt/jazz " /proc/1/mountinfo >/srv/off; echo "$SERVICE_RESULT $EXIT_STATUS" >>/srv/off';
  await jazz.override(['[Service]', 'ExecStopPost=', `ExecStopPost=+/bin/sh -c '${look}'`]);
  const startedAtMs = performance.now();
  await machine.powerOff();
  expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  expect(readFileSync(path.join(machine.srv, 'off'), 'utf8')).toBe('0\nsuccess 0\n');
});

/** What the unit runs after each life, as its file has it. */
async function ownStopPost(): Promise<string> {
  const text = await machine.must(['cat', '/etc/systemd/system/musicfs@.service']);
  return /^ExecStopPost=(.*)$/m.exec(text)?.[1] ?? '';
}
