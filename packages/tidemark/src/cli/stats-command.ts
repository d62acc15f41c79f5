/** `tidemark stats`: what all instances have counted. */
import type { Outcomes, QueryReport } from '../observe/report.js';
import type { Overview } from '../page/page-api.js';
import { UsageError, type Command, type Print } from './command.js';
import { PAGE_OPTIONS, PAGE_USAGE, PageClient } from './page-client.js';
import { parseArguments } from './parse-arguments.js';
import { durationOf, plain, tableOf } from './plain-text.js';

export const stats: Command = {
  summary: 'print hits, misses and saved time, by query',
  usage: `Usage: tidemark stats --url <address> [--token-file <file>] [--source <name>] [--json]\n${PAGE_USAGE}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, PAGE_OPTIONS);
    if (positionals.length > 0) throw new UsageError('`stats` takes no name.');
    const client = await PageClient.of(values, context);
    const overview = await client.get('overview', isOverview);
    const queries = await client.get('queries', isQueries);
    if (values.json) context.print(JSON.stringify({ overview, queries }, undefined, 2));
    else show(overview, queries, context.print);
    return 0;
  },
};

function show(overview: Overview, queries: readonly QueryReport[], print: Print): void {
  const { instances, outcomes, savedMs, audit } = overview;
  for (const { host, pid, mode, release, health } of instances) {
    const { status, detail } = health;
    const state = detail === undefined ? status : `${status}: ${detail}`;
    print(plain(`${host} ${pid}, release ${release}, ${mode}, ${state}`));
  }
  const requests = requestsOf(outcomes);
  print(
    `${requests} requests, ${hitsOf(outcomes)} from the cache, which has saved ${durationOf(savedMs)} of the database`,
  );
  if (audit.compared > 0) {
    print(`${audit.compared} hits audited, of which ${audit.different} differed from the database`);
  }
  if (queries.length === 0) {
    print('No query has run yet.');
    return;
  }
  const rows = queries
    .map((query) => ({ ...query, requests: requestsOf(query.outcomes) }))
    .toSorted((one, other) => other.requests - one.requests)
    .map(({ query, requests: all, outcomes: of, savedMs: saved }) => [
      query,
      all,
      hitsOf(of),
      of.l1,
      of.l2,
      of.stored + of.notStored + of.joined,
      of.bypassed,
      of.failed,
      durationOf(saved),
    ]);
  print('');
  const header = ['query', 'requests', 'hits', 'L1', 'L2', 'misses', 'bypassed', 'failed', 'saved'];
  for (const line of tableOf(header, rows)) print(line);
}

function requestsOf(outcomes: Outcomes): number {
  const { l1, l2, stored, notStored, joined, bypassed, failed } = outcomes;
  return l1 + l2 + stored + notStored + joined + bypassed + failed;
}

function hitsOf(outcomes: Outcomes): string {
  const requests = requestsOf(outcomes);
  if (requests === 0) return '-';
  return `${((100 * (outcomes.l1 + outcomes.l2)) / requests).toFixed(1)} %`;
}

function isOverview(answer: unknown): answer is Overview {
  const { instances, outcomes } = (answer ?? {}) as Partial<Overview>;
  return Array.isArray(instances) && typeof outcomes === 'object';
}

function isQueries(answer: unknown): answer is readonly QueryReport[] {
  return Array.isArray(answer);
}
