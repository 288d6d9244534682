import { describe, expect, it } from 'vitest';
import { drawChart } from '../../../bench/chart.ts';
import { figureIds } from '../../../bench/figures.ts';
import { ownNames, peerNames } from '../../../bench/system.ts';
import { type MadeUp, reportOf } from './report-fixture.ts';

const walk = (system: MadeUp['system'], value: number): MadeUp => ({ figure: 'walkCold', system, value });

/** Widths of all bars of a colour, legend left out. */
function widths(svg: string, colour: string): number[] {
  return [...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="9" [^>]*fill="(#\w+)"/g)]
    .filter(([, , fill]) => fill === colour)
    .map(([, width]) => Number(width));
}
/** A wide sans-serif face at 12 px. */
const pixelsALetter = 6.9;
const ours = '#d9480f';
const bindfs = '#3b82c4';

describe('the chart', () => {
  it('draws a bar as long as the system is quick', () => {
    const svg = drawChart(reportOf(walk('file system itself', 1), walk('musicfs', 1), walk('bindfs', 4)));
    const [own = Number.NaN] = widths(svg, ours);
    const [peer = Number.NaN] = widths(svg, bindfs);
    expect(own / peer).toBeCloseTo(4, 1);
  });

  it('ends a bar at the edge of the axis and says its true figure', () => {
    const svg = drawChart(reportOf(walk('file system itself', 6), walk('musicfs', 1), walk('bindfs', 3)));
    expect(widths(svg, ours)).toEqual(widths(svg, bindfs));
    expect(svg).toContain('>6.00</text>');
  });

  it('names in its legend the systems that were measured, and no other', () => {
    const svg = drawChart(reportOf(walk('file system itself', 1), walk('musicfs', 1), walk('bindfs', 4)));
    expect(svg).toContain('>bindfs</text>');
    expect(svg).not.toContain('rclone');
  });

  it('leaves out work of which the file system itself has no figure', () => {
    const svg = drawChart(reportOf(walk('file system itself', 1), walk('musicfs', 1)));
    expect(svg).toContain('walk with stat, cold');
    expect(svg).not.toContain('random read');
  });

  it('has room for the name of each kind of work and for each system in the legend', () => {
    const all = figureIds.flatMap((figure): MadeUp[] =>
      (['file system itself', ...ownNames, ...peerNames] as const).map((system) => ({
        figure,
        system,
        value: 1,
      })),
    );
    const svg = drawChart(reportOf(...all));
    const widthOf = (text: string) => text.length * pixelsALetter;
    for (const [, x, text = ''] of svg.matchAll(/x="([\d.]+)"[^>]*text-anchor="end">([^<]+)</g)) {
      expect(Number(x) - widthOf(text), text).toBeGreaterThan(0);
    }
    for (const name of [...ownNames, ...peerNames]) expect(widthOf(name), name).toBeLessThan(205 - 18);
  });

  it('is the same for the same report, and well-formed', () => {
    const report = reportOf(walk('file system itself', 1), walk('musicfs', 1), walk('bindfs', 4));
    expect(drawChart(report)).toBe(drawChart(report));
    expect(drawChart(report).match(/<text/g)?.length).toBe(drawChart(report).match(/<\/text>/g)?.length);
    expect(drawChart(report)).not.toContain('NaN');
  });
});
