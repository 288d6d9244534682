import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type RealPath, realPath } from '../../../src/library/real-path.ts';
import type { LogFields } from '../../../src/platform/logger.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import type { ParserPool } from '../../../src/tags/parser-pool.ts';
import {
  makeAiff,
  makeApeTag,
  makeFlac,
  makeId3v1,
  makeId3v2,
  makeMp3,
  makeOgg,
  makeWav,
} from '../../fixtures/audio-files.ts';
import { descriptorsOf } from '../../fixtures/descriptors.ts';
import { encodeWithFfmpeg } from '../../fixtures/encoded-audio.ts';
import { mutated, randomOf } from '../../fixtures/mutations.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { MusicFolder, startPool } from './music-folder.ts';

function flacFiles(count: number): Record<string, Buffer> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${String(index).padStart(4, '0')}.flac`,
      makeFlac([['TITLE', `T${index}`]], { seed: index + 1 }),
    ]),
  );
}

/** Arms `action` on the one file of that name, whatever batch it is in. */
const armOn =
  (name: string, action: string) =>
  (files: readonly RealPath[]): readonly string[] => {
    const at = files.indexOf(realPath(name));
    return at < 0 ? [] : [`parser.file=${action};after=${at};count=1`];
  };

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const firstPid = async (pool: ParserPool): Promise<number> =>
  vi.waitUntil(() => pool.pids()[0], { timeout: 10_000, interval: 5 });

describe('R-48: a file that kills its parser', () => {
  it.each(['crash', 'abort'])(
    'by %s twice is failed with the reason, and its neighbours are parsed',
    async (action) => {
      const files = flacFiles(20);
      const folder = new MusicFolder(files);
      const events: LogFields[] = [];
      const log = { ...silentLogger, warn: (fields: LogFields) => void events.push(fields) };
      const pool = startPool({ failpoints: armOn('0007.flac', action), log });
      const outcomes = await folder.parse(pool, Object.keys(files));
      expect(outcomes.map(({ type }) => type)).toEqual(
        Object.keys(files).map((name) => (name === '0007.flac' ? 'failed' : 'parsed')),
      );
      expect(outcomes[7]).toMatchObject({
        path: '0007.flac',
        sizeBytes: files['0007.flac']?.length,
        mtimeNs: expect.stringMatching(/^\d{19}$/),
        audioFp: expect.stringMatching(/^[0-9a-f]{16}$/),
        reason: expect.stringMatching(
          /^it killed its parser twice: .*(failpoint parser\.file: crash|SIGKILL)/,
        ),
      });
      expect(pool.stats()).toMatchObject({ crashed: 2, parsed: 19 });
      expect(events.map(({ event, stage }) => [event, stage])).toEqual([
        ['parser_child_died', 'first'],
        ['parser_child_died', 'alone'],
      ]);
    },
  );

  it('once is parsed by the next one', async () => {
    const files = flacFiles(10);
    const folder = new MusicFolder(files);
    let isFirst = true;
    const pool = startPool({
      failpoints: (paths) => {
        const lines = isFirst ? armOn('0003.flac', 'crash')(paths) : [];
        isFirst = false;
        return lines;
      },
    });
    const outcomes = await folder.parse(pool, Object.keys(files));
    expect(outcomes.every(({ type }) => type === 'parsed')).toBe(true);
    expect(pool.stats()).toMatchObject({ crashed: 1, parsed: 10 });
  });

  it('by hanging is given up after its time', async () => {
    const files = flacFiles(6);
    const folder = new MusicFolder(files);
    const pool = startPool({ failpoints: armOn('0002.flac', 'hang'), limits: { wallMs: 1000 } });
    const outcomes = await folder.parse(pool, Object.keys(files));
    expect(outcomes[2]).toMatchObject({
      type: 'failed',
      reason: expect.stringContaining('more than 1000 ms'),
    });
    expect(outcomes.filter(({ type }) => type === 'parsed')).toHaveLength(5);
  });

  it('by burning the processor is given up before its wall time', async () => {
    const comments = Array.from({ length: 280_000 }, (_, index) => [`K${index}`, 'v'] as const);
    const folder = new MusicFolder({ 'a.flac': makeFlac(comments), 'b.flac': makeFlac([['TITLE', 'T']]) });
    const pool = startPool({ limits: { cpuMs: 20 } });
    const [burning, other] = await folder.parse(pool, ['a.flac', 'b.flac']);
    expect(burning).toMatchObject({
      type: 'failed',
      reason: expect.stringContaining('20 ms of processor time'),
    });
    expect(other).toMatchObject({ type: 'parsed' });
  });

  it('by eating memory is given up', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]) });
    const pool = startPool({ limits: { rssMb: 20, cpuMs: 40 }, failpoints: armOn('a.flac', 'delay(3000)') });
    const [outcome] = await folder.parse(pool, ['a.flac']);
    expect(outcome).toMatchObject({ type: 'failed', reason: expect.stringContaining('20 MB of memory') });
  });
});

describe('a child', () => {
  it('killed from outside in mid-batch costs nothing but time', async () => {
    const files = flacFiles(400);
    const folder = new MusicFolder(files);
    const pool = startPool();
    const parsing = folder.parse(pool, Object.keys(files));
    await vi.waitUntil(() => pool.stats().parsed > 20, { timeout: 10_000, interval: 1 });
    process.kill(pool.pids()[0] ?? 0, 'SIGKILL');
    const outcomes = await parsing;
    expect(
      outcomes.map((outcome) => (outcome.type === 'parsed' ? outcome.tags.title : outcome.type)),
    ).toEqual(Object.keys(files).map((_, index) => `T${index}`));
    expect(pool.stats().spawned).toBeGreaterThan(1);
    expect(pool.stats().parsed).toBeLessThanOrEqual(400 + 64);
  });

  it('has no right but to read every file, no environment and no descriptors but its pipes', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]) });
    const pool = startPool();
    await folder.parse(pool, ['a.flac']);
    const pid = await firstPid(pool);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
    expect(field('NoNewPrivs')).toBe('1');
    if (process.getuid?.() === 0) {
      expect(field('Uid')).toBe('65534\t65534\t65534\t65534');
      expect(field('Gid')).toBe('65534\t65534\t65534\t65534');
      expect(field('Groups')).toBe('');
      // Bit 2 is CAP_DAC_READ_SEARCH.
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect(field(set), set).toBe('0000000000000004');
      }
    }
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter((line) => line !== '');
    expect(environment.map((line) => line.split('=')[0]).sort()).toEqual(['LANG', 'PATH']);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(folder.root);
    const openFiles = (): readonly string[] => descriptorsOf(pid ?? 0).map(({ place }) => place);
    const isFile = (target: string): boolean => target.startsWith('/') && !target.startsWith('/dev/');
    // The folder is closed after the last answer.
    await vi.waitUntil(() => !openFiles().some(isFile), { timeout: 10_000, interval: 5 });
    expect(openFiles().filter((target) => /^(?:socket|pipe):/.test(target)).length).toBeGreaterThan(2);
  });

  it('ends when it has been idle, and another one comes when there is work', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]) });
    const pool = startPool({ limits: { idleMs: 50 } });
    await folder.parse(pool, ['a.flac']);
    const pid = await firstPid(pool);
    await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000, interval: 5 });
    expect(pool.pids()).toEqual([]);
    expect(await folder.tagsOf(pool, 'a.flac')).toMatchObject({ title: 'T' });
    expect(pool.stats()).toMatchObject({ spawned: 2, crashed: 0 });
  });

  it('dies with the process that started it, even while it hangs', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]) });
    const program = new URL('../../fixtures/programs/hanging-parent.ts', import.meta.url).pathname;
    const { stdout, signal } = spawnSync(process.execPath, [program, folder.root, 'a.flac'], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const pid = Number(stdout);
    expect(signal).toBe('SIGKILL');
    expect(pid).toBeGreaterThan(1);
    await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000, interval: 5 });
  });
});

describe('the pool', () => {
  it('keeps the order of the files, over many batches at once', async () => {
    const files = flacFiles(300);
    const names = Object.keys(files);
    const folder = new MusicFolder(files);
    const pool = startPool({ size: 2 });
    const batches = [names, names.slice().reverse(), names.slice(100, 101), []];
    const all = await Promise.all(batches.map((batch) => folder.parse(pool, batch)));
    expect(all.map((outcomes) => outcomes.map(({ path }) => path))).toEqual(batches);
    expect(pool.stats().spawned).toBeLessThanOrEqual(2);
  });

  it('says what became of names that are gone, are no files, or may not be read', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]), 'empty.flac': Buffer.alloc(0) });
    mkdirSync(join(folder.root, 'dir.flac'));
    execFileSync('mkfifo', [join(folder.root, 'pipe.flac')]);
    symlinkSync('a.flac', join(folder.root, 'inside.flac'));
    symlinkSync('/etc/passwd', join(folder.root, 'outside.flac'));
    const names = [
      'a.flac',
      'none.flac',
      'dir.flac',
      'pipe.flac',
      'inside.flac',
      'outside.flac',
      'empty.flac',
    ];
    const outcomes = await folder.parse(startPool(), names);
    expect(outcomes.map((outcome) => ('code' in outcome ? outcome.code : outcome.type))).toEqual([
      'parsed',
      'ENOENT',
      'EISDIR',
      'ENXIO',
      'parsed',
      'EXDEV',
      'failed',
    ]);
    expect(outcomes[6]).toMatchObject({ reason: 'the file is empty', sizeBytes: 0 });
  });

  it('reads what only its capability opens', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]) });
    chmodSync(join(folder.root, 'a.flac'), 0o600);
    expect(await folder.tagsOf(startPool(), 'a.flac')).toMatchObject({ title: 'T' });
  });

  it('parses names of any bytes', async () => {
    const folder = new MusicFolder({ 'Ünï/é.flac': makeFlac([['TITLE', 'T']]) });
    expect(await folder.tagsOf(startPool(), 'Ünï/é.flac')).toMatchObject({ title: 'T' });
  });

  it('rejects a batch whose root cannot be opened, and goes on with the next', async () => {
    const folder = new MusicFolder({ 'a.flac': makeFlac([['TITLE', 'T']]) });
    const pool = startPool();
    const batch = { rootPath: `${folder.root}/none`, files: [realPath('a.flac')] };
    await expect(pool.parse(batch, new AbortController().signal)).rejects.toMatchObject({
      code: 'origin_unavailable',
    });
    expect(await folder.tagsOf(pool, 'a.flac')).toMatchObject({ title: 'T' });
    expect(pool.stats().spawned).toBe(1);
  });

  it('kills what works on a batch that is cancelled, and nothing is left of it', async () => {
    const folder = new MusicFolder(flacFiles(5));
    let isHanging = true;
    let given = 0;
    const failpoints = (): readonly string[] => {
      given += 1;
      return isHanging ? ['parser.file=hang'] : [];
    };
    const pool = startPool({ failpoints });
    const abort = new AbortController();
    const files = [realPath('0000.flac'), realPath('0001.flac')];
    const parsing = pool.parse({ rootPath: folder.root, files }, abort.signal);
    const pid = await firstPid(pool);
    await vi.waitUntil(() => given > 0, { timeout: 10_000, interval: 1 });
    abort.abort(new Error('enough'));
    await expect(parsing).rejects.toThrow('enough');
    isHanging = false;
    await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000, interval: 5 });
    expect(await folder.tagsOf(pool, '0004.flac')).toMatchObject({ title: 'T4' });
    expect(pool.stats().parsed).toBe(1);
    const gone = pool.parse({ rootPath: folder.root, files }, AbortSignal.abort(new Error('never')));
    await expect(gone).rejects.toThrow('never');
  });

  it('closes at once and twice, with work in hand', async () => {
    const folder = new MusicFolder(flacFiles(3));
    const pool = startPool({ failpoints: () => ['parser.file=hang'] });
    const parsing = folder.parse(pool, ['0000.flac', '0001.flac']);
    const rejected = expect(parsing).rejects.toMatchObject({ code: 'cancelled' });
    const pid = await firstPid(pool);
    await Promise.all([pool.close(), pool.close()]);
    await rejected;
    expect(isAlive(pid)).toBe(false);
    expect(pool.pids()).toEqual([]);
    await expect(folder.parse(pool, ['0000.flac'])).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('gives up with the reason when no child starts', async () => {
    const folder = new MusicFolder(flacFiles(1));
    const pool = startPool({ limits: { heapMb: 1 } });
    await expect(folder.parse(pool, ['0000.flac'])).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('no parser can be started'),
    });
  });
});

describe('a thousand damaged files', () => {
  it('each have an outcome, and the pool lives', { timeout: 120_000 }, async () => {
    const { seed } = printedSeed('mutations');
    const random = randomOf(seed);
    const tail = Buffer.concat([makeApeTag([['Title', 'x']]), makeId3v1({ title: 'x' })]);
    const tags = [
      ['TITLE', 'Title'],
      ['ARTIST', 'Artist'],
      ['ALBUM', 'Album'],
    ] as const;
    const id3 = [
      ['TIT2', 'Title'],
      ['TPE1', 'A/B'],
      ['TXXX:K', 'v'],
      ['COMM', 'c'],
    ] as const;
    const samples: [string, Buffer][] = [
      ['flac', makeFlac(tags, { picture: 500, padding: 100, id3: makeId3v2(4, id3) })],
      ['mp3', makeMp3(id3, { version: 3, picture: 800, tail })],
      ['mp3', makeMp3(id3, { tail })],
      ['ogg', makeOgg(tags)],
      ['wav', makeWav([['INAM', 'x']], { id3: makeId3v2(4, id3) })],
      ['aiff', makeAiff([['NAME', 'x']], { id3: makeId3v2(3, id3) })],
    ];
    const folder = new MusicFolder();
    for (const name of ['sample.m4a', 'sample.opus', 'sample.wma', 'sample.mka']) {
      encodeWithFfmpeg(join(folder.root, name), { title: 'Title', artist: 'Artist' });
      samples.push([name.split('.')[1] ?? '', readFileSync(join(folder.root, name))]);
    }
    const names = Array.from({ length: 1000 }, (_, index) => {
      const [extension, sample] = samples[index % samples.length] ?? ['flac', Buffer.alloc(0)];
      const name = `${index}.${extension}`;
      folder.write(name, mutated(sample, random));
      return name;
    });
    const pool = startPool({ size: 2, limits: { wallMs: 5000 } });
    const outcomes = await folder.parse(pool, names);
    expect(outcomes.map(({ path }) => path)).toEqual(names);
    expect(outcomes.filter(({ type }) => type === 'vanished' || type === 'not-music')).toEqual([]);
    for (const outcome of outcomes) {
      if (outcome.type === 'failed') expect(outcome.reason).not.toBe('');
      else expect(outcome.type).toBe('parsed');
    }
    expect(outcomes.filter(({ type }) => type === 'parsed').length).toBeGreaterThan(300);
    folder.write('after.flac', makeFlac([['TITLE', 'T']]));
    expect(await folder.tagsOf(pool, 'after.flac')).toMatchObject({ title: 'T' });
  });
});
