/**
 * A figure of the last hour by minute, drawn by uPlot. Its text alternatives: a summary, and the numbers as a table
 * (hour-charts.ts).
 */
import type { VNode } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { component, html } from '../html.js';
import { minuteOfDay, NONE } from '../format.js';
import { onColoursChange } from './theme.js';

export interface HourSeries {
  readonly title: string;
  /** Of the whole hour. */
  readonly total: string;
  /** `undefined`: nothing to show for the minute. */
  readonly values: readonly (number | undefined)[];
  readonly format: (value: number) => string;
  /** A custom property of CSS. */
  readonly colour: string;
  /** End of the axis; without it, the largest value. */
  readonly max?: number;
}

interface HourChartProps {
  readonly series: HourSeries;
  /** When each minute began, in milliseconds. */
  readonly startsMs: readonly number[];
}

const HEIGHT = 132;
/** So that the marks of an axis of counts differ. */
const MIN_RANGE = 4;
const FONT = '11px system-ui, sans-serif';

export function hourChart(props: HourChartProps): VNode {
  return component(HourChart, { ...props, key: props.series.title });
}

function HourChart(props: HourChartProps): VNode {
  const { series } = props;
  const titleId = useId();
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = createPlot(target, latest, readout);
    };
    draw();
    const resized = new ResizeObserver(() => {
      plot.current?.setSize({ width: target.clientWidth, height: HEIGHT });
    });
    resized.observe(target);
    const stop = onColoursChange(draw);
    return () => {
      stop();
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(props)), [props.startsMs, series.values]);

  return html`<figure class="chart" aria-labelledby=${titleId}>
    <figcaption>
      <span class="chart-title" id=${titleId}>${series.title}</span>
      <span class="chart-total num">${series.total}</span>
      <span class="chart-readout num" ref=${readout} aria-hidden="true"></span>
    </figcaption>
    <div class="chart-plot" ref=${box} aria-hidden="true"></div>
  </figure>`;
}

function dataOf({ series, startsMs }: HourChartProps): uPlot.AlignedData {
  return [
    startsMs.map((startMs) => startMs / 1_000),
    series.values.map((value) => value ?? null),
  ] as uPlot.AlignedData;
}

function createPlot(
  target: HTMLElement,
  latest: { readonly current: HourChartProps },
  readout: { readonly current: HTMLElement | null },
): uPlot {
  const { series } = latest.current;
  const [line, ink, grid] = [series.colour, '--muted', '--line'].map((name) =>
    colourOf(target, name),
  ) as [string, string, string];
  const axis = { stroke: ink, font: FONT, ticks: { show: false } };
  const options: uPlot.Options = {
    width: Math.max(target.clientWidth, 100),
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true },
      y: { range: (_, __, max) => [0, series.max ?? Math.max(max * 1.1, MIN_RANGE)] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        space: 64,
        grid: { show: false },
        values: (_, splits) => splits.map((at) => minuteOfDay(at * 1_000)),
      },
      {
        ...axis,
        size: 58,
        space: 34,
        grid: { stroke: grid, width: 1 },
        values: (_, splits) => splits.map((value) => series.format(value)),
      },
    ],
    series: [
      {},
      { stroke: line, width: 1.75, fill: translucent(line), points: { size: 5, fill: line } },
    ],
    cursor: { drag: { x: false, y: false }, sync: { key: 'hour' }, y: false, points: { size: 7 } },
    hooks: {
      setCursor: [({ cursor: { idx } }) => showMinute(readout.current, latest.current, idx)],
    },
  };
  return new uPlot(options, dataOf(latest.current), target);
}

function showMinute(
  readout: HTMLElement | null,
  { series, startsMs }: HourChartProps,
  index: number | null | undefined,
): void {
  if (!readout) return;
  const startMs = startsMs[index ?? -1];
  const value = series.values[index ?? -1];
  const text = value === undefined ? NONE : series.format(value);
  readout.textContent = startMs === undefined ? '' : `${minuteOfDay(startMs)}  ${text}`;
}

/** The colour in force: a canvas understands neither custom properties nor `light-dark()`. */
function colourOf(target: HTMLElement, name: string): string {
  target.style.color = `var(${name})`;
  const { color } = getComputedStyle(target);
  target.style.color = '';
  return color;
}

function translucent(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');
}
