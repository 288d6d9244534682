// The chart of the README: how quick each system is beside the file system itself, made from bench/results.json. Pure.
//
// One group of horizontal bars for each kind of work, one bar for each system, all with the same axis: 1 is the file
// system itself, longer is quicker. What is quicker than the axis is long ends at its edge; the number beside the bar
// says how quick. Colours are readable on light and on dark pages; text follows the page's scheme.
import { type FigureId, figures } from './figures.ts';
import type { Report } from './report.ts';
import { relativeSpeed } from './results.ts';
import { ownNames, peerNames, type SystemName } from './system.ts';

const shown: readonly FigureId[] = [
  'sequentialCold',
  'sequentialWarm',
  'directMemory',
  'random4k',
  'openReadCold',
  'openReadWarm',
  'walkCold',
  'walkAgain',
  'statStorm',
  'wideStat',
];

const colours: Readonly<Partial<Record<SystemName, string>>> = {
  musicfs: '#d9480f',
  'musicfs, no passthrough': '#f08c3a',
  'musicfs, fuse-native': '#b98a2b',
  bindfs: '#3b82c4',
  mergerfs: '#2f9e6e',
  rclone: '#8a63d2',
  musefs: '#7d8794',
};

const layout = {
  width: 880,
  padding: 20,
  labelWidth: 270,
  valueWidth: 52,
  titleHeight: 58,
  legendHeight: 22,
  legendColumnWidth: 205,
  barHeight: 9,
  barGap: 2,
  groupGap: 14,
  axisHeight: 24,
  /** The axis ends here, in times the file system itself. */
  longest: 1.5,
} as const;

/** The chart as an SVG document. */
export function drawChart(report: Pick<Report, 'figures' | 'date' | 'machine'>): string {
  const systems = [...ownNames, ...peerNames].filter((system) =>
    shown.some((figure) => report.figures[figure]?.[system]?.ratio !== undefined),
  );
  const legendRows = Math.ceil(systems.length / legendColumns);
  const groupsTop = layout.padding + layout.titleHeight + legendRows * layout.legendHeight + 10;
  const groups: string[] = [];
  let y = groupsTop;
  for (const figure of shown) {
    const bars = barsOf(report, figure, systems);
    if (bars.length === 0) continue;
    groups.push(drawGroup(figures[figure].title, bars, y));
    y += bars.length * (layout.barHeight + layout.barGap) + layout.groupGap;
  }
  const height = y + layout.axisHeight + layout.padding;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${height}" width="${layout.width}" height="${height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" role="img" aria-label="Speed of musicfs and its peers beside the file system itself">`,
    `<style>${style}</style>`,
    `<rect class="page" width="${layout.width}" height="${height}" rx="8"/>`,
    drawTitle(report),
    drawLegend(systems),
    drawAxis(groupsTop - 6, y - layout.groupGap + 6),
    ...groups,
    '</svg>\n',
  ].join('\n');
}

/** Figures have a rim of the page's colour, so that a line of the axis does not run through them. */
const style = [
  '.page{fill:#ffffff}.text{fill:#24292f}.quiet{fill:#57606a}.line{stroke:#d0d7de}.one{stroke:#57606a}',
  '.value{fill:#57606a;stroke:#ffffff;stroke-width:3px;paint-order:stroke}',
  '@media(prefers-color-scheme:dark){.page{fill:#0d1117}.text{fill:#e6edf3}.quiet{fill:#9aa4ae}',
  '.line{stroke:#30363d}.one{stroke:#9aa4ae}.value{fill:#9aa4ae;stroke:#0d1117}}',
].join('');

const legendColumns = Math.floor((layout.width - 2 * layout.padding) / layout.legendColumnWidth);
const axisLeft = layout.padding + layout.labelWidth;
const axisWidth = layout.width - layout.padding - layout.valueWidth - axisLeft;
const axisX = (speed: number) =>
  rounded(axisLeft + (Math.min(speed, layout.longest) / layout.longest) * axisWidth);

interface Bar {
  readonly system: SystemName;
  readonly speed: number;
}

function barsOf(
  report: Pick<Report, 'figures'>,
  figure: FigureId,
  systems: readonly SystemName[],
): readonly Bar[] {
  return systems.flatMap((system) => {
    const value = report.figures[figure]?.[system];
    const speed = value === undefined ? undefined : relativeSpeed(figure, value);
    return speed === undefined ? [] : [{ system, speed }];
  });
}

function drawTitle({ date, machine }: Pick<Report, 'date' | 'machine'>): string {
  const { padding } = layout;
  const where = `${machine.processors} processors, Linux ${machine.kernel}, ${machine.fileSystem}, ${date.slice(0, 10)}`;
  return [
    text(
      padding,
      padding + 14,
      'Speed beside the file system itself',
      'text',
      'font-size="17" font-weight="600"',
    ),
    text(
      padding,
      padding + 36,
      `1 is the file system itself, longer is quicker; the number says where a bar goes on. ${where}`,
      'quiet',
      'font-size="12"',
    ),
  ].join('\n');
}

function drawLegend(systems: readonly SystemName[]): string {
  return systems
    .map((system, index) => {
      const x = layout.padding + (index % legendColumns) * layout.legendColumnWidth;
      const y = layout.padding + layout.titleHeight + Math.floor(index / legendColumns) * layout.legendHeight;
      return [
        `<rect x="${x}" y="${y}" width="12" height="12" rx="2" fill="${colourOf(system)}"/>`,
        text(x + 18, y + 10, system, 'text', 'font-size="12"'),
      ].join('');
    })
    .join('\n');
}

function drawAxis(top: number, bottom: number): string {
  return [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]
    .map((speed) => {
      const x = axisX(speed);
      const line = `<line class="${speed === 1 ? 'one' : 'line'}" x1="${x}" y1="${top}" x2="${x}" y2="${bottom}"/>`;
      return line + text(x, bottom + 16, String(speed), 'quiet', 'font-size="11" text-anchor="middle"');
    })
    .join('\n');
}

function drawGroup(title: string, bars: readonly Bar[], top: number): string {
  const { barHeight, barGap, padding, labelWidth } = layout;
  const middle = top + (bars.length * (barHeight + barGap)) / 2;
  const drawn = bars.map(({ system, speed }, index) => {
    const y = top + index * (barHeight + barGap);
    const width = rounded(Math.max(axisX(speed) - axisLeft, 1));
    return [
      `<rect x="${axisLeft}" y="${y}" width="${width}" height="${barHeight}" rx="1.5" fill="${colourOf(system)}"/>`,
      text(axisX(speed) + 5, y + barHeight - 1, speed.toFixed(2), 'value', 'font-size="9"'),
    ].join('');
  });
  const label = text(
    padding + labelWidth - 12,
    middle + 3,
    title,
    'text',
    'font-size="12" text-anchor="end"',
  );
  return [label, ...drawn].join('\n');
}

function text(
  x: number,
  y: number,
  content: string,
  kind: 'text' | 'quiet' | 'value',
  attributes: string,
): string {
  return `<text class="${kind}" x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function colourOf(system: SystemName): string {
  return colours[system] ?? '#000000';
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
