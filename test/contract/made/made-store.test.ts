// Files that musicfs makes itself, on real disks.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MadeStore } from '../../../src/made/made-store.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { limits } from '../../../src/platform/limits.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { ReachableTree } from '../../fixtures/ordinary-user.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const never = new AbortController().signal;
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const modeOf = (file: string) => lstatSync(file).mode & 0o7777;
const mtimeOf = (file: string) => lstatSync(file, { bigint: true }).mtimeNs.toString();

/** The system's clock, set forward as far as one likes. */
function laterClock(): Clock & { laterMs: number } {
  const clock = { ...systemClock, laterMs: 0, wallMs: () => systemClock.wallMs() + clock.laterMs };
  return clock;
}

function start(clock: Clock = systemClock, directory = path.join(temporaryDirectory(), 'made')) {
  return { directory, store: new MadeStore(directory, clock) };
}

/** A small disk of its own for the test. */
function smallDisk(): string {
  const directory = temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'none', directory]);
  onTestFinished(() => void spawnSync('umount', ['-l', directory]));
  return directory;
}

const allFiles = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);

describe('a file that is put', () => {
  it('lies whole under the hash of its bytes, for nobody else, and its size and time are told', async () => {
    const { directory, store } = start();
    const bytes = filler(100_000);
    const file = await store.put(bytes, never);
    const hash = hashOf(bytes);
    expect(file).toEqual({
      path: `${hash.slice(0, 2)}/${hash}`,
      sizeBytes: 100_000,
      mtimeNs: mtimeOf(path.join(directory, file.path)),
    });
    expect(readFileSync(path.join(directory, file.path)).equals(bytes)).toBe(true);
    expect(modeOf(path.join(directory, file.path))).toBe(0o600);
    for (const folder of ['', 'tmp', hash.slice(0, 2)])
      expect(modeOf(path.join(directory, folder))).toBe(0o700);
    expect(allFiles(directory)).toEqual([hash]);
  });

  it('again stays as it is, with its time, also when both come at once, and in another life', async () => {
    const { directory, store } = start();
    const bytes = filler(1000);
    const [first, second] = await Promise.all([store.put(bytes, never), store.put(bytes, never)]);
    expect(second).toEqual(first);
    utimesSync(path.join(directory, first.path), 5, 5);
    const again = await new MadeStore(directory).put(bytes, never);
    expect(again).toEqual({ ...first, mtimeNs: '5000000000' });
    expect(mtimeOf(path.join(directory, first.path))).toBe('5000000000');
    expect(allFiles(directory)).toHaveLength(1);
  });

  it.each([
    ['was cut short', (file: string) => truncateSync(file, 10)],
    [
      'is a link to somewhere',
      (file: string) => {
        execFileSync('rm', [file]);
        writeFileSync(`${file}.elsewhere`, filler(1000));
        symlinkSync(`${file}.elsewhere`, file);
      },
    ],
  ])('takes the place of one that %s', async (_, harm) => {
    const { directory, store } = start();
    const bytes = filler(1000);
    const file = path.join(directory, (await store.put(bytes, never)).path);
    harm(file);
    const again = await store.put(bytes, never);
    expect(lstatSync(file).isFile()).toBe(true);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(again.mtimeNs).toBe(mtimeOf(file));
  });

  it('on a disk without room is refused as such, leaves nothing, and is kept once there is room', async () => {
    const directory = smallDisk();
    const store = new MadeStore(directory);
    const kept = await store.put(filler(600_000, 1), never);
    await expect(store.put(filler(600_000, 2), never)).rejects.toMatchObject({
      code: 'storage_full',
      message: expect.stringContaining(`no room below ${directory} (ENOSPC)`),
    });
    expect(allFiles(directory)).toHaveLength(1);
    expect(await store.put(filler(600_000, 1), never)).toEqual(kept);
    execFileSync('mount', ['-o', 'remount,size=4m', directory]);
    await store.put(filler(600_000, 2), never);
    expect(allFiles(directory)).toHaveLength(2);
  });

  it('on a disk that takes nothing is refused as such, and so it is where the state directory is not ours', async () => {
    const directory = smallDisk();
    const store = new MadeStore(directory);
    await store.put(filler(10), never);
    execFileSync('mount', ['-o', 'remount,ro', directory]);
    await expect(store.put(filler(20), never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('EROFS'),
    });
    const file = path.join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(new MadeStore(path.join(file, 'made')).put(filler(1), never)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('of more than 32 MB is refused, and so is one of too many that wait', async () => {
    const { directory, store } = start();
    await expect(store.put(new Uint8Array(limits.madeFileBytes + 1), never)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const puts = Array.from({ length: limits.madeFilesWaiting * 2 }, (_, seed) =>
      store.put(filler(10, seed + 1), never),
    );
    const outcomes = await Promise.allSettled(puts);
    const refused = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    expect(refused.length).toBeGreaterThan(0);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'overloaded' });
    expect(allFiles(directory)).toHaveLength(outcomes.length - refused.length);
  });

  it('by somebody who has gone is not begun, and one who goes leaves nothing unfinished', async () => {
    const { directory, store } = start();
    await expect(store.put(filler(9), AbortSignal.abort(new Error('long gone')))).rejects.toThrow(
      'long gone',
    );
    const caller = new AbortController();
    const putting = store.put(filler(30_000_000), caller.signal);
    const next = store.put(filler(5), never);
    caller.abort(new Error('gone'));
    await expect(putting).rejects.toThrow('gone');
    await next;
    expect(allFiles(directory).filter((name) => name !== hashOf(filler(5)))).toEqual([]);
  });

  it('on a disk that does not answer is given up in time', async () => {
    let speed = 1;
    const clock = {
      ...systemClock,
      after: (ms: number, fire: () => void) => systemClock.after(ms / speed, fire),
    };
    const { directory, store } = start(clock);
    await store.put(filler(5), never);
    // A pipe that nobody writes to is opened by nobody who does not wait.
    const hash = hashOf(filler(6));
    mkdirSync(path.join(directory, hash.slice(0, 2)));
    execFileSync('mkfifo', [path.join(directory, hash.slice(0, 2), hash)]);
    speed = 1000;
    await expect(store.put(filler(6), never)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    speed = 1;
    await store.put(filler(7), never);
    writeFileSync(path.join(directory, hash.slice(0, 2), hash), ''); // lets the waiting thread go
  });
});

describe('a sweep', () => {
  const tenMinutes = 600_000;

  async function swept() {
    const clock = laterClock();
    const { directory, store } = start(clock);
    const [known, unknown] = [await store.put(filler(10, 1), never), await store.put(filler(10, 2), never)];
    const sweep = () => store.sweep((file) => file === known.path, never);
    return { clock, directory, store, known, unknown, sweep };
  }

  it('removes what nobody knows, once it is older than ten minutes, and nothing else', async () => {
    const { clock, directory, known, unknown, sweep } = await swept();
    writeFileSync(path.join(directory, 'tmp', 'unfinished'), 'x');
    writeFileSync(path.join(directory, 'note'), 'of somebody else');
    mkdirSync(path.join(directory, 'zz'));
    writeFileSync(path.join(directory, 'zz', 'file'), 'of somebody else');
    clock.laterMs = tenMinutes - 60_000;
    expect(await sweep()).toEqual({ removed: 0, kept: 3 });
    clock.laterMs = tenMinutes + 1_000;
    expect(await sweep()).toEqual({ removed: 2, kept: 1 });
    expect(existsSync(path.join(directory, known.path))).toBe(true);
    expect(existsSync(path.join(directory, unknown.path))).toBe(false);
    expect(allFiles(directory).sort()).toEqual(['file', 'note', path.basename(known.path)].sort());
    expect(await sweep()).toEqual({ removed: 0, kept: 1 });
  });

  /** Ten minutes, less a moment, after the file was last asked for; more than that after it was made. */
  async function askedAnew({ clock, directory, store, unknown }: Awaited<ReturnType<typeof swept>>) {
    const file = path.join(directory, unknown.path);
    const madeMs = lstatSync(file).ctimeMs;
    await eventually('some time has passed', () => Date.now() - madeMs > 200);
    expect(await store.put(filler(10, 2), never)).toEqual(unknown);
    const askedMs = lstatSync(file).ctimeMs;
    clock.wallMs = () => askedMs + tenMinutes - 100;
  }

  it('leaves what was asked for anew, although it was made long ago', async () => {
    const scene = await swept();
    await askedAnew(scene);
    expect(await scene.store.sweep(() => false, never)).toEqual({ removed: 1, kept: 1 });
    expect(existsSync(path.join(scene.directory, scene.unknown.path))).toBe(true);
  });

  it('leaves what was asked for anew while it was being asked about', async () => {
    const scene = await swept();
    scene.clock.laterMs = tenMinutes + 1_000;
    const outcome = await scene.store.sweep(async (file) => {
      if (file === scene.unknown.path) await askedAnew(scene);
      return file === scene.known.path;
    }, never);
    expect(outcome).toEqual({ removed: 0, kept: 2 });
    expect(existsSync(path.join(scene.directory, scene.unknown.path))).toBe(true);
  });

  it('of nothing is nothing, ends with its caller, and fails as the answer does', async () => {
    expect(await start().store.sweep(() => false, never)).toEqual({ removed: 0, kept: 0 });
    const { store } = await swept();
    await expect(store.sweep(() => true, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    await expect(store.sweep(() => Promise.reject(new Error('no catalog')), never)).rejects.toThrow(
      'no catalog',
    );
  });
});

it('a store of an ordinary user whom nobody lets write is refused as such', async () => {
  const tree = new ReachableTree();
  onTestFinished(() => tree.remove());
  const { become } = tree.account(12_345, () => ({}));
  const closed = temporaryDirectory();
  chmodSync(closed, 0o755);
  const [program = '', ...rest] = [
    ...become,
    process.execPath,
    '--input-type=module',
    '--eval',
    `const { MadeStore } = await import(process.argv[1] + '/src/made/made-store.ts');
     await new MadeStore(process.argv[2] + '/made').put(Buffer.from('x'), new AbortController().signal)
       .catch(({ code, message }) => console.log(code, message));`,
    path.resolve(tree.musicfs, '../..'),
    closed,
  ];
  expect(execFileSync(program, rest, { encoding: 'utf8' })).toMatch(/^unavailable .*EACCES/);
});
