import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { failpointNames } from '../../../src/platform/failpoint-places.ts';
import { damage, Failpoints, parseFailpoint } from '../../../src/platform/failpoints.ts';

describe('a setting', () => {
  it.each([
    ['fuse.thread.loop=crash', { action: { type: 'crash' }, after: 0, count: Number.POSITIVE_INFINITY }],
    ['parser.file=delay(250);count=2', { action: { type: 'delay', ms: 250 }, after: 0, count: 2 }],
    [
      'scan.batch.after=abort;after=3',
      { action: { type: 'abort' }, after: 3, count: Number.POSITIVE_INFINITY },
    ],
    ['actor.origin-lane.local.handle=error(overloaded)', { action: { type: 'error', code: 'overloaded' } }],
    ['actor.indexer.start=off', { action: null }],
    ['origin.read.body=corrupt(16);only=7;p=0.25;seed=9', { chance: 0.25, seed: 9, only: '7' }],
    ['origin.list=hang;only=A b/c=d', { only: 'A b/c=d', chance: 1, seed: 1 }],
  ])('%s is understood', (text, expected) => {
    expect(parseFailpoint(text)).toMatchObject(expected);
  });

  it.each([
    ['fuse.thread.loop', /expected name=action/],
    ['no.such.place=crash', /unknown name; known: /],
    ['actor..handle=crash', /unknown name/],
    ['fuse.thread.loop=explode', /unknown action/],
    ['fuse.thread.loop=delay(soon)', /delay wants \(milliseconds\)/],
    ['fuse.thread.loop=error(nonsense)', /error wants one of/],
    ['fuse.thread.loop=crash;often=1', /unknown option/],
    ['fuse.read.before-reply=delay(5)', /delay is not possible there/],
    ['scan.batch.after=hang', /hang is not possible there/],
    ['fuse.thread.loop=crash;count=0', /count wants 1 or more/],
    ['fuse.thread.loop=crash;p=2', /unknown option "p=2"/],
    ['fuse.thread.loop=crash;only=7', /only is not possible there/],
    ['origin.read.open=corrupt(4)', /corrupt is not possible there/],
    ['origin.read.body=corrupt(0)', /corrupt wants \(bytes\)/],
    ['main.block=crash', /crash is not possible there/],
    ['supervisor.before-restart=hang', /hang is not possible there/],
  ])('%s is refused with the way out', (text, message) => {
    expect(() => parseFailpoint(text)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringMatching(message) }),
    );
  });
});

describe('the registry', () => {
  it('refuses every setting when it was not enabled at the start, and never fires', () => {
    const failpoints = new Failpoints(false);
    expect(() => failpoints.set('fuse.thread.loop=crash')).toThrow(/--enable-failpoints/);
    expect(failpoints.check('fuse.thread.loop')).toBeNull();
  });

  it('fires after so many passes, so many times, and counts its hits', () => {
    const failpoints = new Failpoints(true);
    failpoints.set('scan.batch.after=error(origin_unavailable);after=2;count=2');
    const fired = Array.from({ length: 6 }, () => {
      try {
        failpoints.check('scan.batch.after');
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'origin_unavailable' });
        return true;
      }
    });
    expect(fired).toEqual([false, false, true, true, false, false]);
    expect(failpoints.hitsOf('scan.batch.after')).toBe(2);
  });

  it('hands what only the caller can do to the caller', () => {
    const failpoints = new Failpoints(true);
    failpoints.set('fuse.read.before-reply=hang');
    failpoints.set('parser.file=delay(5)');
    expect(failpoints.check('fuse.read.before-reply')).toEqual({ type: 'hang' });
    expect(failpoints.check('parser.file')).toEqual({ type: 'delay', ms: 5 });
  });

  it('passes on only settings that cannot be used up elsewhere', () => {
    const failpoints = new Failpoints(true);
    failpoints.set('fuse.thread.loop=crash;count=1');
    failpoints.set('fuse.read.before-reply=hang');
    failpoints.set('parser.file=hang');
    expect(failpoints.settings('fuse')).toEqual(['fuse.read.before-reply=hang']);
  });

  it('forgets one by "off" and all by clear', () => {
    const failpoints = new Failpoints(true);
    failpoints.set('fuse.read.before-reply=hang');
    failpoints.set('parser.file=hang');
    failpoints.set('parser.file=off');
    expect(failpoints.list()).toEqual([{ name: 'fuse.read.before-reply', action: 'hang', hits: 0 }]);
    failpoints.clear();
    expect(failpoints.check('fuse.read.before-reply')).toBeNull();
  });

  it('fires for the subject it was set for, and lets others by without counting them', () => {
    const failpoints = new Failpoints(true);
    failpoints.set('fuse.read.before-reply=hang;only=7;after=1;count=1');
    const passes = ['7', '8', undefined, '7', '7'].map((node) =>
      failpoints.check('fuse.read.before-reply', node),
    );
    expect(passes).toEqual([null, null, null, { type: 'hang' }, null]);
  });

  it('fires by chance as often as it was told to, and alike for the same seed', () => {
    const passes = 10_000;
    const fired = (setting: string): boolean[] => {
      const failpoints = new Failpoints(true, [setting]);
      return Array.from({ length: passes }, () => failpoints.check('fuse.read.before-reply') !== null);
    };
    const first = fired('fuse.read.before-reply=hang;p=0.1;seed=5');
    const share = first.filter(Boolean).length / passes;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
    expect(fired('fuse.read.before-reply=hang;p=0.1;seed=5')).toEqual(first);
    expect(fired('fuse.read.before-reply=hang;p=0.1;seed=6')).not.toEqual(first);
    expect(fired('fuse.read.before-reply=hang;p=0').filter(Boolean)).toEqual([]);
  });

  it('waits where the place may wait, until it is given up', async () => {
    const failpoints = new Failpoints(true);
    failpoints.set('scan.walk=delay(30)');
    const startedAtMs = performance.now();
    expect(await failpoints.pass('scan.walk', 'a')).toBe(0);
    expect(performance.now() - startedAtMs).toBeGreaterThan(25);
    failpoints.set('scan.walk=hang');
    const giveUp = new AbortController();
    const hung = failpoints.pass('scan.walk', 'a', giveUp.signal);
    giveUp.abort();
    await expect(hung).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says how many bytes are to be damaged, and damages them', async () => {
    const failpoints = new Failpoints(true, ['origin.read.body=corrupt(2);only=7']);
    expect(await failpoints.pass('origin.read.body', '8')).toBe(0);
    expect(await failpoints.pass('origin.read.body', '7')).toBe(2);
    const bytes = Buffer.from([1, 2, 3]);
    damage(bytes, 2);
    expect([...bytes]).toEqual([254, 253, 3]);
  });
});

describe('the names', () => {
  it('are each used by a test', () => {
    const tests = filesBelow(path.resolve(import.meta.dirname, '../..')).filter(
      (file) => file.endsWith('.test.ts') && file !== import.meta.filename,
    );
    const text = tests.map((file) => readFileSync(file, 'utf8')).join('\n');
    expect(tests.length).toBeGreaterThan(20);
    const unused = failpointNames.filter(
      (name) => !new RegExp(`${name.replaceAll('.', '\\.').replace('<id>', '[^\\s=]+')}=`).test(text),
    );
    expect(unused).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
}
