/** Hit ratio, requests and saved database time of the last hour: three figures, and the numbers as a table. */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { MinuteCounts } from '../../src/observe/report.js';
import { count, counted, duration, minuteOfDay, percent, shareOf } from '../format.js';
import { html } from '../html.js';
import { startsOf, sumMinutes } from '../sums.js';
import { hourChart, type HourSeries } from './hour-chart.js';

interface HourChartsProps {
  readonly minutes: readonly MinuteCounts[];
  readonly atMs: number;
}

export function HourCharts({ minutes, atMs }: HourChartsProps): VNode {
  const startsMs = useMemo(() => startsOf(minutes, atMs), [minutes, atMs]);
  const series = useMemo(() => seriesOf(minutes), [minutes]);
  return html`<div class="hour">
    <p class="visually-hidden">${summaryOf(minutes)}</p>
    <div class="charts">${series.map((one) => hourChart({ series: one, startsMs }))}</div>
    <details class="numbers">
      <summary>The numbers of each minute</summary>
      <div class="numbers-scroll" tabindex="0" role="group" aria-label="Numbers of each minute">
        <table>
          <thead>
            <tr>
              <th scope="col">Minute</th>
              <th scope="col">Hit ratio</th>
              <th scope="col">Requests</th>
              <th scope="col">Database time saved</th>
            </tr>
          </thead>
          <tbody>
            ${minutes
              .map(
                ({ requests, hits, savedMs }, index) =>
                  html`<tr key=${startsMs[index]}>
                    <th scope="row">${minuteOfDay(startsMs[index] ?? atMs)}</th>
                    <td>${percent(shareOf(hits, requests))}</td>
                    <td>${count(requests)}</td>
                    <td>${duration(savedMs)}</td>
                  </tr>`,
              )
              .reverse()}
          </tbody>
        </table>
      </div>
    </details>
  </div>`;
}

function seriesOf(minutes: readonly MinuteCounts[]): readonly HourSeries[] {
  const sum = sumMinutes(minutes);
  return [
    {
      title: 'Hit ratio',
      total: percent(shareOf(sum.hits, sum.requests)),
      values: minutes.map(({ hits, requests }) => shareOf(hits, requests)),
      format: percent,
      colour: '--hit',
      max: 1,
    },
    {
      title: 'Requests a minute',
      total: `${count(sum.requests)} in the hour`,
      values: minutes.map(({ requests }) => requests),
      format: count,
      colour: '--requests',
    },
    {
      title: 'Database time saved a minute',
      total: `${duration(sum.savedMs)} in the hour`,
      values: minutes.map(({ savedMs }) => savedMs),
      format: duration,
      colour: '--saved',
    },
  ];
}

function summaryOf(minutes: readonly MinuteCounts[]): string {
  const { requests, hits, savedMs } = sumMinutes(minutes);
  const ratios = minutes.flatMap((minute) => shareOf(minute.hits, minute.requests) ?? []);
  const range =
    ratios.length > 0
      ? `, between ${percent(Math.min(...ratios))} and ${percent(Math.max(...ratios))} by minute`
      : '';
  return (
    `In the last hour: ${counted(requests, 'request')}, of which ${percent(shareOf(hits, requests))} ` +
    `were hits${range}; they saved ${duration(savedMs)} of database time.`
  );
}
