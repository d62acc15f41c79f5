/** A picture of bars, as SVG and PNG. */
import { shortNumber } from './table.js';

export interface Bar {
  readonly label: string;
  readonly isOurs: boolean;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One group, with a separate scale. */
export interface Bars {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 860;
const LABEL_WIDTH = 260;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 16;
const LINE_HEIGHT = 24;
const GROUP_HEIGHT = 44;
const TOP = 52;
const NOTE_HEIGHT = 18;
const OURS = '#1565c0';
const OTHERS = '#9aa5b1';
const FONT = 'DejaVu Sans, Verdana, Arial, sans-serif';

/** @param note lines below the bars. */
export function svg(title: string, note: string, groups: readonly Bars[]): string {
  const parts: string[] = [text(16, 30, title, 'font-size="18" font-weight="bold"')];
  let y = TOP;
  for (const group of groups) {
    y += GROUP_HEIGHT;
    parts.push(text(16, y - 16, group.title, 'font-size="14" font-weight="bold"'));
    const most = Math.max(...group.bars.map((bar) => bar.most));
    for (const bar of group.bars) {
      parts.push(barParts(bar, y, most));
      y += LINE_HEIGHT;
    }
  }
  y += NOTE_HEIGHT;
  for (const line of note.split('\n')) {
    parts.push(text(16, y, line, 'font-size="11" fill="#555"'));
    y += NOTE_HEIGHT;
  }
  const height = y;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** Its native package is loaded only here: a run without a picture does without it. */
export async function png(picture: string): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js');
  return new Resvg(picture, { fitTo: { mode: 'zoom', value: 2 } }).render().asPng();
}

function barParts(bar: Bar, y: number, most: number): string {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const at = (value: number): number => LABEL_WIDTH + (value / most) * room;
  const middle = y + BAR_HEIGHT / 2;
  const width = Math.max(1, at(bar.median) - LABEL_WIDTH);
  return [
    text(LABEL_WIDTH - 8, middle + 4, bar.label, 'font-size="12" text-anchor="end"'),
    `<rect x="${LABEL_WIDTH}" y="${y}" width="${round(width)}" height="${BAR_HEIGHT}" fill="${bar.isOurs ? OURS : OTHERS}"/>`,
    `<path d="M${round(at(bar.least))} ${middle}H${round(at(bar.most))}" stroke="#222" stroke-width="1.5"/>`,
    text(at(bar.most) + 8, middle + 4, shortNumber(bar.median), 'font-size="12"'),
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
