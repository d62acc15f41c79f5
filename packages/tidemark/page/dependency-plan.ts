/** The plan of a query's dependencies as a drawing: query, its tables, and the regions of each table. */
import type { Regions } from '../src/core/ports/cache-events.js';
import { regionName } from './sums.js';

export interface PlanBox {
  readonly kind: 'query' | 'table' | 'region';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly text: string;
  /** Every write to the table ends the answer. */
  readonly isWhole: boolean;
}

export interface Plan {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlanBox[];
  /** Paths of SVG between the boxes. */
  readonly lines: readonly string[];
}

const BOX_HEIGHT = 30;
const ROW = BOX_HEIGHT + 10;
/** Below this width, boxes stand below each other, and each is indented. */
const MIN_COLUMNS_WIDTH = 620;
const INDENT = 26;
/** More regions of a table are counted. */
const MAX_REGIONS = 8;

/** @param width of the drawing, in pixels. */
export function planOf(query: string, tables: Regions, width: number): Plan {
  const isWide = width >= MIN_COLUMNS_WIDTH;
  const gap = isWide ? Math.min(90, width * 0.08) : 0;
  const column = isWide ? (width - 2 * gap) / 3 : width;
  const xOf = (level: number): number => level * (isWide ? column + gap : INDENT);
  const boxOf = (level: number, y: number, part: Pick<PlanBox, 'kind' | 'text' | 'isWhole'>) => ({
    ...part,
    x: xOf(level),
    y,
    width: isWide ? column : width - xOf(level),
    height: BOX_HEIGHT,
  });

  const boxes: PlanBox[] = [];
  const lines: string[] = [];
  let y = isWide ? 0 : ROW;
  const tableBoxes = tables.map(({ table, names }) => {
    const isWhole = names.includes('*');
    const regions = regionTexts(names);
    const top = y;
    const span = Math.max(1, regions.length) * ROW;
    const tableY = isWide ? top + (span - ROW) / 2 : top;
    const tableBox = boxOf(1, tableY, { kind: 'table', text: table, isWhole });
    if (!isWide) y += ROW;
    const regionBoxes = regions.map((text, index) =>
      boxOf(2, y + index * ROW, { kind: 'region', text, isWhole }),
    );
    y += isWide ? span : regions.length * ROW;
    boxes.push(tableBox, ...regionBoxes);
    lines.push(...regionBoxes.map((box) => lineBetween(tableBox, box, isWide)));
    return tableBox;
  });
  const height = Math.max(y, ROW) - (ROW - BOX_HEIGHT);
  const queryY = isWide ? (height - BOX_HEIGHT) / 2 : 0;
  const queryBox = boxOf(0, queryY, { kind: 'query', text: query, isWhole: false });
  lines.push(...tableBoxes.map((box) => lineBetween(queryBox, box, isWide)));
  return { width, height, boxes: [queryBox, ...boxes], lines };
}

function regionTexts(names: readonly string[]): readonly string[] {
  if (names.includes('*')) return ['whole table'];
  const shown = names.slice(0, MAX_REGIONS).map(regionName);
  const more = names.length - shown.length;
  return more > 0 ? [...shown, `${more} more`] : shown;
}

function lineBetween(from: PlanBox, to: PlanBox, isWide: boolean): string {
  const [fromY, toY] = [from.y + from.height / 2, to.y + to.height / 2];
  if (!isWide) {
    const x = from.x + INDENT / 2;
    return `M${x} ${from.y + from.height}V${toY}H${to.x}`;
  }
  const [fromX, toX] = [from.x + from.width, to.x];
  const middle = (fromX + toX) / 2;
  return `M${fromX} ${fromY}C${middle} ${fromY} ${middle} ${toY} ${toX} ${toY}`;
}
