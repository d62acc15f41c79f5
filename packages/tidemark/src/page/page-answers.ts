/** What the routes of the API answer, made of the reports of all instances. */
import {
  auditOf,
  sumMinutes,
  sumOutcomes,
  sumQueries,
  sumRegions,
  sumWrites,
} from '../observe/sums.js';
import type { InstanceReport, QueryReport, RegionReport, WriteReport } from '../observe/report.js';
import type { Doubt, InstanceSummary, OptionsInForce, Overview, QueryPage } from './page-api.js';
import { PageProblem } from './page-problem.js';
import type { PageSource } from './page-sources.js';

/** Options with addresses or secrets. */
const HIDDEN = new Set(['redis', 'entrySecret']);

interface OfApplication {
  readonly dataSources: readonly string[];
  readonly allowActions: boolean;
}

export async function overviewOf(
  { reports }: PageSource,
  { dataSources, allowActions }: OfApplication,
): Promise<Overview> {
  const all = await reports.all();
  return {
    atMs: Date.now(),
    dataSources,
    instances: all.map(summaryOf),
    outcomes: sumOutcomes(all),
    savedMs: all.reduce((sum, { savedMs }) => sum + savedMs, 0),
    minutes: sumMinutes(all),
    audit: auditOf(all),
    allowActions,
  };
}

export async function queriesOf({ reports }: PageSource): Promise<readonly QueryReport[]> {
  return sumQueries(await reports.all());
}

/** @throws PageProblem if no instance knows the query. */
export async function queryPageOf(
  { reports, cache }: PageSource,
  name: string,
): Promise<QueryPage> {
  const all = await reports.all();
  const query = sumQueries(all).find((one) => one.query === name);
  if (!query) {
    throw new PageProblem(
      404,
      'no-such-query',
      `No query ${name} has run, or it is not among the 200 busiest of any instance.`,
    );
  }
  return {
    query,
    treatment: await cache.explainNamed(name),
    misses: all
      .flatMap(({ misses }) => misses)
      .filter((miss) => miss.query === name)
      .toSorted((a, b) => b.atMs - a.atMs),
  };
}

export async function writesOf({ reports }: PageSource): Promise<readonly WriteReport[]> {
  return sumWrites(await reports.all());
}

export async function regionsOf({ reports }: PageSource): Promise<readonly RegionReport[]> {
  return sumRegions(await reports.all());
}

export async function doubtOf({ reports }: PageSource): Promise<Doubt> {
  const all = await reports.all();
  return { instances: all.map(({ id, host, pid, doubt }) => ({ id, host, pid, ...doubt })) };
}

export function optionsOf({ reports, options }: PageSource): OptionsInForce {
  const shown = Object.entries(options)
    .filter(([name, value]) => !HIDDEN.has(name) && value !== undefined)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value] as const);
  return {
    mode: reports.mode,
    options: Object.fromEntries(shown) as OptionsInForce['options'],
  };
}

/** Reports begin with the one of the instance that answers. */
function summaryOf(report: InstanceReport, index: number): InstanceSummary {
  const { id, host, pid, release, startedAtMs, atMs, mode, health, memory, outcomes } = report;
  return {
    id,
    host,
    pid,
    release,
    startedAtMs,
    atMs,
    mode,
    health,
    memory,
    outcomes,
    isThis: index === 0,
  };
}
