// Pictures in the sizes that are shown, made by the real process from real pictures.
import { chmodSync, closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RenditionSize } from '../../../src/artwork/rendition-protocol.ts';
import { Renditions } from '../../../src/artwork/renditions.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { limits } from '../../../src/platform/limits.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startChild } from '../../fixtures/limited-child.ts';
import { mutated, randomOf } from '../../fixtures/mutations.ts';
import { ReachableTree } from '../../fixtures/ordinary-user.ts';
import { printedSeed } from '../../fixtures/printed-seed.ts';
import { childrenOf, isAlive, killNow } from '../../fixtures/processes.ts';
import { blue, grain, packedZeros, plain, pngOf, red, seen, twoHalves } from './pictures.ts';

const never = new AbortController().signal;
const all: readonly RenditionSize[] = ['full', 'medium', 'thumb'];
const isRoot = process.getuid?.() === 0;

/** Renditions that end with the test. */
function start(clock: Clock = systemClock): Renditions {
  const renditions = new Renditions({ dropPrivileges: isRoot, clock });
  onTestFinished(() => renditions.close());
  return renditions;
}

/** With a process that waits for work, which takes longer than any answer to start. */
async function warm(clock?: Clock): Promise<{ renditions: Renditions; pid: number }> {
  const renditions = start(clock);
  await renditions.make(await plain(8, 8).png().toBuffer(), ['thumb'], never);
  return { renditions, pid: pidOf(renditions) };
}

function pidOf(renditions: Renditions): number {
  if (renditions.pid === null) throw new Error('there is no picture process');
  return renditions.pid;
}

/** The system's clock, of which the timers run faster from a given moment on. */
function hastenedClock(): Clock & { hasten(times: number): void } {
  let speed = 1;
  return {
    ...systemClock,
    after: (delayMs, fire) => systemClock.after(delayMs / speed, fire),
    hasten: (times) => {
      speed = times;
    },
  };
}

/** A figure of /proc/PID/status. */
function statusOf(pid: number, field: string): string {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
}

function within(actual: readonly number[], { r, g, b }: typeof red, tolerance = 12): void {
  for (const [at, wanted] of [r, g, b].entries())
    expect(Math.abs((actual[at] ?? 999) - wanted)).toBeLessThanOrEqual(tolerance);
}

describe('a picture in three sizes', () => {
  it.each(['png', 'webp', 'gif'] as const)('of a %s is three JPEGs, each in its shape', async (format) => {
    const made = await start().make(await plain(900, 600).toFormat(format).toBuffer(), all, never);
    const [full, medium, thumb] = await Promise.all(all.map((size) => seen(made.get(size))));
    expect(full).toMatchObject({ format: 'jpeg', width: 900, height: 600 });
    expect(medium).toMatchObject({ format: 'jpeg', width: 300, height: 200 });
    expect(thumb).toMatchObject({ format: 'jpeg', width: 150, height: 100 });
    within((await full?.pixel(450, 300)) ?? [], red);
    within((await thumb?.pixel(75, 50)) ?? [], red);
  });

  it.each([false, true])(
    'of a JPEG is its own bytes and two smaller ones (progressive: %s)',
    async (progressive) => {
      const original = await grain(600, 900).jpeg({ progressive }).toBuffer();
      const made = await start().make(original, all, never);
      expect(made.get('full') === original).toBe(true);
      expect(await seen(made.get('medium'))).toMatchObject({ width: 200, height: 300 });
      expect(await seen(made.get('thumb'))).toMatchObject({ width: 100, height: 150 });
    },
  );

  it('has those that were asked for, and the same bytes whatever else was, from any process', async () => {
    const original = await grain(640, 480).png().toBuffer();
    const first = await start().make(original, all, never);
    expect([...first.keys()]).toEqual(all);
    for (const size of all) {
      const alone = await start().make(original, [size], never);
      expect([...alone.keys()]).toEqual([size]);
      expect(Buffer.from(alone.get(size) ?? []).equals(first.get(size) ?? Buffer.of(1))).toBe(true);
    }
  });

  it('is never larger than the picture', async () => {
    const { renditions } = await warm();
    for (const [width, height] of [
      [1, 1],
      [200, 100],
      [150, 150],
    ] as const) {
      const made = await renditions.make(await plain(width, height).png().toBuffer(), all, never);
      expect(await seen(made.get('full'))).toMatchObject({ width, height });
      expect(await seen(made.get('medium'))).toMatchObject({ width, height });
      expect(Math.max((await seen(made.get('thumb'))).width, height)).toBeLessThanOrEqual(
        Math.max(150, height),
      );
    }
  });

  it('keeps one pixel of a line that would vanish', async () => {
    const made = await start().make(await plain(6000, 2).jpeg().toBuffer(), all, never);
    expect(await seen(made.get('medium'))).toMatchObject({ width: 300, height: 1 });
    expect(await seen(made.get('thumb'))).toMatchObject({ width: 150, height: 1 });
  });

  it('stands upright where the EXIF data say how, and only the original keeps them', async () => {
    const lying = await (await twoHalves(400, 200)).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const made = await start().make(lying, all, never);
    expect(made.get('full') === lying).toBe(true);
    const medium = await seen(made.get('medium'));
    expect(medium).toMatchObject({ width: 150, height: 300 });
    within(await medium.pixel(75, 10), red);
    within(await medium.pixel(75, 290), blue);
    expect((await sharp(made.get('medium')).metadata()).orientation).toBeUndefined();

    const webp = await (await twoHalves(400, 200)).webp().withMetadata({ orientation: 6 }).toBuffer();
    const full = await seen((await start().make(webp, ['full'], never)).get('full'));
    expect(full).toMatchObject({ width: 200, height: 400 });
    within(await full.pixel(100, 10), red);
  });

  it.each(['png', 'webp', 'gif'] as const)('of a %s is white where that is transparent', async (format) => {
    const clear = await plain(320, 320, { ...blue, alpha: 0 })
      .toFormat(format)
      .toBuffer();
    const made = await start().make(clear, all, never);
    for (const size of all)
      within(await (await seen(made.get(size))).pixel(20, 20), { r: 255, g: 255, b: 255 }, 2);
  });

  it.each([
    ['CMYK', (from: Sharp) => from.toColourspace('cmyk').jpeg()],
    ['16 bits a colour', (from: Sharp) => from.toColourspace('rgb16').png()],
    ['a palette', (from: Sharp) => from.png({ palette: true })],
  ])('is red in %s too', async (_, encode) => {
    const made = await start().make(await encode(plain(400, 400)).toBuffer(), ['medium'], never);
    const medium = await seen(made.get('medium'));
    within(await medium.pixel(100, 100), red, 40);
  });

  it('is grey in grey, with and without transparency', async () => {
    const { renditions } = await warm();
    for (const background of [
      { r: 90, g: 90, b: 90 },
      { r: 90, g: 90, b: 90, alpha: 1 },
    ]) {
      const grey = await plain(400, 400, background).toColourspace('b-w').png().toBuffer();
      const made = await renditions.make(grey, all, never);
      for (const size of all) within(await (await seen(made.get(size))).pixel(9, 9), { r: 90, g: 90, b: 90 });
    }
  });

  it.each(['gif', 'webp'] as const)('is the first picture of a %s that moves', async (format) => {
    const [first, second] = await Promise.all(
      [red, blue].map((each) => plain(320, 320, each).raw().toBuffer()),
    );
    const film = await sharp(Buffer.concat([first ?? Buffer.of(), second ?? Buffer.of()]), {
      raw: { width: 320, height: 640, channels: 3, pageHeight: 320 },
    })
      .toFormat(format)
      .toBuffer();
    expect((await sharp(film).metadata()).pages).toBe(2);
    const medium = await seen((await start().make(film, all, never)).get('medium'));
    expect(medium).toMatchObject({ width: 300, height: 300 });
    within(await medium.pixel(150, 150), red);
  });
});

describe('a picture that is refused', () => {
  it('above 10 MB never reaches the process', async () => {
    const renditions = start();
    await expect(
      renditions.make(new Uint8Array(limits.pictureInputBytes + 1), all, never),
    ).rejects.toMatchObject({ code: 'unsupported_here', message: expect.stringContaining('10000001 bytes') });
    expect(renditions.pid).toBeNull();
  });

  it('above 64 megapixels is too large, at 64 it is not', async () => {
    const { renditions, pid } = await warm();
    await expect(renditions.make(await plain(9000, 9000).png().toBuffer(), all, never)).rejects.toMatchObject(
      { code: 'unsupported_here', message: expect.stringContaining('9000 x 9000') },
    );
    await expect(renditions.make(await plain(65_501, 3).png().toBuffer(), all, never)).rejects.toMatchObject({
      code: 'unsupported_here',
    });
    const made = await renditions.make(await plain(8000, 8000).png().toBuffer(), ['medium'], never);
    expect(await seen(made.get('medium'))).toMatchObject({ width: 300, height: 300 });
    expect(renditions.pid).toBe(pid);
  });

  it('not even as a WebP of 64 megapixels, which takes most memory', async () => {
    const large = await plain(8000, 8000).webp({ lossless: true, effort: 0 }).toBuffer();
    const made = await start().make(large, all, never);
    expect(await seen(made.get('full'))).toMatchObject({ width: 8000, height: 8000 });
  });

  it('for what its file is, costs no process', async () => {
    const { renditions, pid } = await warm();
    const others: Record<string, Uint8Array> = {
      nothing: new Uint8Array(),
      text: Buffer.from('this is a text, whatever its name says\n'.repeat(50)),
      'a start like a JPEG': Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(3000, 7)]),
      svg: Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
      ),
      tiff: await plain(20, 20).tiff().toBuffer(),
      avif: await plain(20, 20).avif().toBuffer(),
    };
    for (const [name, bytes] of Object.entries(others))
      await expect(renditions.make(bytes, all, never), name).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringMatching(/^the picture cannot be decoded: [^\n]+$/),
      });
    expect(renditions.pid).toBe(pid);
  });

  it.each(['jpeg', 'png', 'webp', 'gif'] as const)('because a part of its %s is missing', async (format) => {
    const { renditions, pid } = await warm();
    const whole = await grain(250, 250).toFormat(format).toBuffer();
    for (const share of [0.001, 0.1, 0.5, 0.9]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      for (const sizes of [['full'], ['thumb']] as const)
        await expect(renditions.make(cut, sizes, never), `${share}`).rejects.toMatchObject({
          code: 'invalid_argument',
        });
    }
    expect(renditions.pid).toBe(pid);
  });

  it('a bomb takes no memory, and the next picture is made by the same process', async () => {
    const { renditions, pid } = await warm();
    const zeros = packedZeros();
    const pixels = ['IDAT', deflateSync(Buffer.alloc(100 * 301))] as const;
    const bombs: Record<string, Buffer> = {
      'a head of 4 gigapixels': pngOf(65_535, 65_535, [['IDAT', zeros]]),
      'more data than pixels': pngOf(100, 100, [['IDAT', zeros]]),
      'a long comment': pngOf(100, 100, [['zTXt', Buffer.concat([Buffer.from('a\0\0'), zeros])], pixels]),
      'a long colour profile': pngOf(100, 100, [
        ['iCCP', Buffer.concat([Buffer.from('a\0\0'), zeros])],
        pixels,
      ]),
    };
    for (const [name, bomb] of Object.entries(bombs)) {
      expect(bomb.length).toBeLessThan(limits.pictureInputBytes);
      const outcome = await renditions.make(bomb, all, never).then(
        (made) => made.size,
        (error: unknown) => error,
      );
      if (outcome !== all.length)
        expect(outcome, name).toMatchObject({
          code: expect.stringMatching(/^(unsupported_here|invalid_argument)$/),
        });
    }
    expect(Number.parseInt(statusOf(pid, 'VmHWM'), 10) / 1024).toBeLessThan(250);
    expect(await renditions.make(await plain(9, 9).png().toBuffer(), ['thumb'], never)).toHaveLength(1);
    expect(renditions.pid).toBe(pid);
  });

  it('or is not, however it was damaged, and its process lives on', async () => {
    const { renditions, pid } = await warm();
    const random = randomOf(printedSeed('damaged pictures').seed);
    const wholes = await Promise.all(
      (['jpeg', 'png', 'webp', 'gif'] as const).map((format) => grain(90, 60).toFormat(format).toBuffer()),
    );
    const outcomes = new Set<string>();
    for (let round = 0; round < 60; round += 1) {
      for (const whole of wholes) {
        const outcome = await renditions.make(mutated(whole, random), all, never).then(
          () => 'made',
          (error: { code: string }) => error.code,
        );
        outcomes.add(outcome);
      }
    }
    // A number in its head may have become a large one.
    outcomes.delete('unsupported_here');
    expect([...outcomes].sort()).toEqual(['invalid_argument', 'made']);
    expect(renditions.pid).toBe(pid);
  });
});

describe('the picture process', () => {
  it('is started once, and is gone after the close with all that it had', async () => {
    await warm().then(({ renditions }) => renditions.close()); // whatever Node opens for its first child stays
    const [descriptors, children] = [readdirSync('/proc/self/fd').length, childrenOf(process.pid)];
    const { renditions, pid } = await warm();
    expect(childrenOf(process.pid)).toEqual([...children, pid]);
    const picture = await plain(9, 9).png().toBuffer();
    const waiting = [1, 2, 3].map(() => renditions.make(picture, all, never));
    process.kill(pid, 'SIGSTOP');
    const outcomes = Promise.allSettled(waiting);
    await renditions.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    expect(isAlive(pid)).toBe(false);
    expect(childrenOf(process.pid)).toEqual(children);
    expect(renditions.pid).toBeNull();
    await eventually('its descriptors are closed', () => readdirSync('/proc/self/fd').length === descriptors);
    await renditions.close();
    await expect(renditions.make(picture, all, never)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('that is killed in the middle is told as such, and the next picture gets another', async () => {
    const { renditions, pid } = await warm();
    const picture = await plain(9, 9).png().toBuffer();
    process.kill(pid, 'SIGSTOP');
    const [first, second] = [1, 2].map(() => renditions.make(picture, ['thumb'], never));
    process.kill(pid, 'SIGKILL');
    await expect(first).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the picture process ended by itself: SIGKILL',
    });
    await expect(second).resolves.toHaveLength(1);
    expect(pidOf(renditions)).not.toBe(pid);
  });

  it('that was killed while it had nothing to do is replaced', async () => {
    const { renditions, pid } = await warm();
    const picture = await plain(9, 9).png().toBuffer();
    process.kill(pid, 'SIGKILL');
    await eventually('its end is noticed', () => renditions.pid === null);
    await expect(renditions.make(picture, all, never)).resolves.toHaveLength(3);
    expect(pidOf(renditions)).not.toBe(pid);
  });

  it('that hangs is killed after its time, told as such, and replaced', async () => {
    const clock = hastenedClock();
    const { renditions, pid } = await warm(clock);
    const picture = await plain(9, 9).png().toBuffer();
    process.kill(pid, 'SIGSTOP');
    clock.hasten(50);
    const hanging = renditions.make(picture, all, never);
    await expect(hanging).rejects.toMatchObject({
      code: 'deadline_exceeded',
      message: 'the picture process took more than 10000 ms',
    });
    clock.hasten(1);
    await expect(renditions.make(picture, all, never)).resolves.toHaveLength(3);
    await eventually('the hanging one is gone', () => !isAlive(pid));
  });

  it('of a caller who gives up is killed, and the next caller gets another', async () => {
    const { renditions, pid } = await warm();
    const picture = await plain(9, 9).png().toBuffer();
    process.kill(pid, 'SIGSTOP');
    const callers = [new AbortController(), new AbortController(), new AbortController()];
    const [first, second, third] = callers.map(({ signal }) => renditions.make(picture, all, signal));
    const outcomes = Promise.allSettled([first, second]);
    callers[1]?.abort(new Error('the second has gone'));
    callers[0]?.abort(new Error('the first has gone'));
    expect(await outcomes).toMatchObject([
      { reason: { message: 'the first has gone' } },
      { reason: { message: 'the second has gone' } },
    ]);
    await expect(third).resolves.toHaveLength(3);
    expect(pidOf(renditions)).not.toBe(pid);
    await eventually('the first one is gone', () => !isAlive(pid));
    await expect(renditions.make(picture, all, AbortSignal.abort(new Error('long gone')))).rejects.toThrow(
      'long gone',
    );
  });

  it('that nobody uses ends', async () => {
    const clock = hastenedClock();
    const { renditions, pid } = await warm(clock);
    clock.hasten(100);
    await renditions.make(await plain(9, 9).png().toBuffer(), all, never);
    await eventually('it is gone', () => renditions.pid === null && !isAlive(pid));
  });

  it('has so many waiting, and so many bytes, and no more', async () => {
    const { renditions, pid } = await warm();
    process.kill(pid, 'SIGSTOP');
    const picture = await plain(9, 9).png().toBuffer();
    const small = Array.from({ length: limits.renditionsWaiting + 1 }, () =>
      renditions.make(picture, all, never),
    );
    await expect(renditions.make(picture, all, never)).rejects.toMatchObject({ code: 'overloaded' });
    process.kill(pid, 'SIGCONT');
    await Promise.all(small);

    process.kill(pid, 'SIGSTOP');
    const large = Array.from({ length: 6 }, () =>
      renditions.make(new Uint8Array(limits.pictureInputBytes), all, never),
    );
    const outcomes = Promise.allSettled(large);
    await expect(renditions.make(new Uint8Array(limits.pictureInputBytes), all, never)).rejects.toMatchObject(
      { code: 'overloaded' },
    );
    process.kill(pid, 'SIGCONT');
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'invalid_argument' } });
    await expect(renditions.make(new Uint8Array(limits.pictureInputBytes), all, never)).rejects.toMatchObject(
      { code: 'invalid_argument' },
    );
  });

  it('that cannot be started, as there are no descriptors, costs nothing but the picture', async () => {
    const picture = await plain(9, 9).png().toBuffer();
    const renditions = start();
    const outcomes: string[] = [];
    for (let free = 0; outcomes.at(-1) !== 'made'; free += 1) {
      const taken = takeAllDescriptors();
      for (const fd of taken.splice(0, free)) closeSync(fd);
      const making = renditions.make(picture, all, never);
      for (const fd of taken) closeSync(fd);
      outcomes.push(
        await making.then(
          () => 'made',
          (error: { code: string }) => error.code,
        ),
      );
      expect(outcomes.length).toBeLessThan(40);
    }
    expect(outcomes.length).toBeGreaterThan(3);
    expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(['refused']));
  });

  it('has limits, no environment, and nothing but its pipes', async () => {
    const { pid } = await warm();
    const bounds = readFileSync(`/proc/${pid}/limits`, 'latin1');
    expect(bounds).toMatch(/^Max file size +0 +0 /m);
    expect(bounds).toMatch(/^Max core file size +0 +0 /m);
    const dataBytes = Number(/^Max data size +(\d+) +\1 /m.exec(bounds)?.[1]);
    expect(dataBytes).toBeGreaterThan(limits.renditionMemoryBytes);
    expect(dataBytes).toBeLessThan(limits.renditionMemoryBytes + 1024 ** 3);
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim()).toBe('1000');
    const names = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    expect(names.filter((line) => !/^(PATH|LANG|UV_|MALLOC_|VIPS_|$)/.test(line))).toEqual([]);
    expect(statusOf(pid, 'NoNewPrivs')).toBe('1');
    expect(statusOf(pid, 'CapEff')).toBe('0000000000000000');
    if (isRoot) expect(statusOf(pid, 'Uid')).toBe('65534\t65534\t65534\t65534');
  });
});

function takeAllDescriptors(): number[] {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    return taken;
  }
}

describe('the picture process of a daemon', () => {
  const locked = '+noroot,+noroot_locked,+no_setuid_fixup,+no_setuid_fixup_locked,+keep_caps_locked';

  // Says which process makes pictures, and ends with its input.
  const daemon = `
    const { Renditions } = await import(process.argv[1] + '/src/artwork/renditions.ts');
    const renditions = new Renditions({ dropPrivileges: process.getuid() === 0 });
    const picture = Buffer.from(process.argv[2], 'base64');
    const made = await renditions.make(picture, ['full', 'medium', 'thumb'], new AbortController().signal);
    console.log(JSON.stringify({ pid: renditions.pid, sizes: [...made.keys()] }));
    process.stdin.resume().on('end', () => renditions.close());
  `;

  async function started(tree: string, ...become: string[]): Promise<{ daemonPid: number; pid: number }> {
    const picture = await plain(9, 9).png().toBuffer();
    const [program = process.execPath, ...rest] = [
      ...become,
      ...[process.execPath, '--input-type=module', '--eval', daemon, tree, picture.toString('base64')],
    ];
    const child = startChild(program, rest);
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = createInterface({ input: child.stdout ?? process.stdin });
    const errors: string[] = [];
    child.stderr?.on('data', (text: Buffer) => errors.push(text.toString()));
    for await (const line of said) {
      const { pid, sizes } = JSON.parse(line) as { pid: number; sizes: string[] };
      expect(sizes).toEqual(all);
      return { daemonPid: child.pid ?? 0, pid };
    }
    throw new Error(errors.join(''));
  }

  it('is gone when the daemon is killed', async () => {
    const { daemonPid, pid } = await started(ownTree);
    process.kill(pid, 'SIGSTOP'); // so that it does not read the end of its input
    onTestFinished(() => killNow(pid, 'rendition-process'));
    expect(isAlive(pid)).toBe(true);
    process.kill(daemonPid, 'SIGKILL');
    await eventually('it is gone too', () => !isAlive(pid));
  });

  it('is nobody with the one right to read, where the program is closed to others', async () => {
    const { folder } = reachableTree();
    chmodSync(folder, 0o700);
    const { pid } = await started(folder);
    expect(statusOf(pid, 'Uid')).toBe('65534\t65534\t65534\t65534');
    for (const field of ['CapEff', 'CapBnd', 'CapAmb']) expect(statusOf(pid, field)).toBe('0000000000000004');
    expect(statusOf(pid, 'NoNewPrivs')).toBe('1');
  });

  it.each([
    ['can gain privileges', []],
    // As mount.fuse3 does with drop_privileges.
    ['cannot', [`--securebits=${locked}`, '--no-new-privs', '--bounding-set=-all']],
  ])('is the user who runs the daemon, when that is not root and %s', async (_, more) => {
    const { tree, folder } = reachableTree();
    const { become } = tree.account(12_345, () => ({}));
    const { pid } = await started(folder, ...become, ...more);
    expect(statusOf(pid, 'Uid')).toBe('12345\t12345\t12345\t12345');
    expect(statusOf(pid, 'CapEff')).toBe('0000000000000000');
    expect(statusOf(pid, 'NoNewPrivs')).toBe('1');
  });
});

const ownTree = path.resolve(import.meta.dirname, '../../..');

function reachableTree(): { tree: ReachableTree; folder: string } {
  const tree = new ReachableTree();
  onTestFinished(() => tree.remove());
  return { tree, folder: path.resolve(tree.musicfs, '../..') };
}
