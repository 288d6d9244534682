import { describe, expect, it } from 'vitest';
import { median } from '../../../bench/measure.ts';
import { relativeSpeed, Samples, summarize } from '../../../bench/results.ts';

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is the mean of the two middle values of an even number', () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  it('is the value itself when there is one, and nothing when there is none', () => {
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  it('leaves the samples in their order', () => {
    const samples = [3, 1, 2];
    median(samples);
    expect(samples).toEqual([3, 1, 2]);
  });
});

describe('the summary of samples', () => {
  it('keeps every sample, the median, and its ratio to the file system itself', () => {
    const samples = new Samples();
    for (const value of [2, 4, 3]) samples.add('walkCold', 'file system itself', value);
    for (const value of [6, 5, 9]) samples.add('walkCold', 'musicfs', value);
    expect(samples.summary()).toEqual({
      walkCold: {
        'file system itself': { median: 3, samples: [2, 4, 3], ratio: 1 },
        musicfs: { median: 6, samples: [6, 5, 9], ratio: 2 },
      },
    });
  });

  it('has no ratio where the file system itself was not measured', () => {
    const figures = summarize([{ figure: 'scanRate', system: 'musefs', value: 5 }]);
    expect(figures.scanRate?.musefs).toEqual({ median: 5, samples: [5] });
  });

  it('keeps the counters of the last round', () => {
    const figures = summarize([
      { figure: 'walkAgain', system: 'musicfs', value: 1, counters: { requests: 9 } },
      { figure: 'walkAgain', system: 'musicfs', value: 1, counters: { requests: 0 } },
    ]);
    expect(figures.walkAgain?.musicfs?.counters).toEqual({ requests: 0 });
  });

  it('lists the figures in the order of the report', () => {
    const figures = summarize([
      { figure: 'random4k', system: 'bindfs', value: 1 },
      { figure: 'scanRate', system: 'musefs', value: 1 },
    ]);
    expect(Object.keys(figures)).toEqual(['scanRate', 'random4k']);
  });
});

describe('speed beside the file system itself', () => {
  it('is 2 for half the time and for twice the throughput', () => {
    const value = (ratio: number) => ({ median: 1, samples: [1], ratio });
    expect(relativeSpeed('walkCold', value(0.5))).toBe(2);
    expect(relativeSpeed('sequentialCold', value(2))).toBe(2);
  });

  it('is unknown without a ratio', () => {
    expect(relativeSpeed('walkCold', { median: 1, samples: [1] })).toBeUndefined();
  });
});
