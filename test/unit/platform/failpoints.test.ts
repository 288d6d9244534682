import { describe, expect, it } from 'vitest';
import { Failpoints, parseFailpoint } from '../../../src/platform/failpoints.ts';

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
    expect(failpoints.settings('fuse.')).toEqual(['fuse.read.before-reply=hang']);
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
});
