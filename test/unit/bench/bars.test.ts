import { describe, expect, it } from 'vitest';
import { judge } from '../../../bench/bars.ts';
import { describeBars } from '../../../bench/table.ts';
import { figuresOf, type MadeUp } from './report-fixture.ts';

function verdictOn(promise: string, unit: string, ...samples: readonly MadeUp[]) {
  return judge(figuresOf(...samples)).find((verdict) => verdict.promise === promise && verdict.unit === unit);
}

describe('a bar', () => {
  it('is not measured when a figure is missing', () => {
    expect(judge({}).map(({ verdict }) => verdict)).toEqual(judge({}).map(() => 'not measured'));
  });

  it('holds a throughput at least to the file system itself', () => {
    const cold = (value: number) =>
      verdictOn(
        'sequential read, cold',
        'x file system itself',
        { figure: 'sequentialCold', system: 'file system itself', value: 1000 },
        { figure: 'sequentialCold', system: 'musicfs', value },
      );
    expect(cold(950)).toMatchObject({ verdict: 'held', measured: 0.95, bar: 0.95 });
    expect(cold(949)).toMatchObject({ verdict: 'MISSED', measured: 0.949 });
  });

  it('holds a time to the quickest of the peers that were there', () => {
    const cold = (value: number) =>
      verdictOn(
        'walk, cold',
        'x best peer',
        { figure: 'walkCold', system: 'rclone', value: 8 },
        { figure: 'walkCold', system: 'mergerfs', value: 2 },
        { figure: 'walkCold', system: 'musicfs', value },
      );
    expect(cold(1)?.verdict).toBe('held');
    expect(cold(1.1)?.verdict).toBe('MISSED');
  });

  it('wants no request from a repeated walk, but for the one question that find asks', () => {
    const again = (requests: number) =>
      verdictOn('walk, repeated, asks for no name and no attribute', 'requests', {
        figure: 'walkAgain',
        system: 'musicfs',
        value: 1,
        counters: { requests, statfs: 1 },
      });
    expect(again(1)).toMatchObject({ verdict: 'held', measured: 0 });
    expect(again(2)).toMatchObject({ verdict: 'MISSED', measured: 1 });
  });

  it('holds our variant without passthrough to bindfs', () => {
    const direct = (value: number) =>
      verdictOn(
        'O_DIRECT read without passthrough',
        'x bindfs',
        { figure: 'directMemory', system: 'bindfs', value: 1000 },
        { figure: 'directMemory', system: 'musicfs, no passthrough', value },
      );
    expect(direct(1500)?.verdict).toBe('held');
    expect(direct(1499)?.verdict).toBe('MISSED');
  });

  it('holds a size to its limit', () => {
    const idle = (value: number) =>
      verdictOn('idle memory of the daemon, resident', 'MB', {
        figure: 'idleDaemon',
        system: 'musicfs',
        value,
      });
    expect(idle(130)?.verdict).toBe('held');
    expect(idle(131)?.verdict).toBe('MISSED');
  });
});

it('the report of the bars says verdict, figure and bar on one line', () => {
  const lines = describeBars([
    {
      promise: 'walk',
      verdict: 'MISSED',
      measured: 0.75,
      bar: 0.5,
      direction: 'at most',
      unit: 'x best peer',
    },
  ]);
  expect(lines).toMatch(/^MISSED +walk +0\.75 +at most 0\.5 x best peer$/);
});
