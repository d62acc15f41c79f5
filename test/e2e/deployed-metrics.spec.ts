/** The dashboard, the alerts and the documents name metrics and labels that a running service has. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { QueryCache } from '@tidemark/nestjs';
import { DataSource } from 'typeorm';
import { parse } from 'yaml';
import { User } from '../../src/users/user.entity.js';
import { eventually } from '../support/eventually.js';
import { useLoggedService } from './support/logged-service.js';

const OPERATIONS = 'docs/operations.md';
const METRIC = /\btidemark_(?:cache|outbox|http|release)_\w+/g;
/** A metric with a selector, if it has one. */
const SELECTED = /\b(tidemark_\w+)(?:\{([^}]*)\})?/g;
const GROUPED = /\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g;
/** Labels that Prometheus itself adds. */
const OF_PROMETHEUS = ['instance', 'job', 'pod'];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
}

const read = (path: string): string => readFileSync(path, 'utf8');
const rules = (
  parse(read('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/tidemark.json')) as {
  panels: Panel[];
  templating: { list: { name: string; type: string }[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** The labels of each series name, with the suffixes of histograms. */
function seriesOf(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const series = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const name = /^(?:# TYPE )?(\w+)/.exec(line)?.[1];
    if (name === undefined || line.endsWith(' histogram')) continue;
    const labels = series.get(name) ?? new Set();
    series.set(name, labels);
    for (const [, label] of line.matchAll(/[{,](\w+)="/g)) labels.add(String(label));
  }
  return series;
}

/** What the expression names and the service does not have. */
function unknownIn(expr: string, series: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const named = [...expr.matchAll(SELECTED)].map(([, name = '', selector = '']) => ({
    name,
    labels: [...selector.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => String(label)),
  }));
  const known = new Set(named.flatMap(({ name }) => [...(series.get(name) ?? [])]));
  const grouped = [...expr.matchAll(GROUPED)].flatMap(([, list = '']) => list.split(/\s*,\s*/));
  return [
    ...named.filter(({ name }) => !series.has(name)).map(({ name }) => name),
    ...named.flatMap(({ name, labels }) =>
      labels.filter((label) => !series.get(name)?.has(label)).map((label) => `${name}{${label}}`),
    ),
    ...grouped.filter((label) => !known.has(label) && !OF_PROMETHEUS.includes(label)),
  ];
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .trim()
    .replaceAll(' ', '-');

describe('what is deployed beside the service', () => {
  let app: NestFastifyApplication;
  let series: ReadonlyMap<string, ReadonlySet<string>>;

  useLoggedService((started) => {
    ({ app } = started);
  });

  beforeAll(async () => {
    await eventually(async () => {
      const { headers } = await app.inject({ url: '/regions' });
      if (!String(headers['cache-status']).startsWith('tidemark; hit'))
        throw new Error('no hit yet');
    });
    // A bypass with a reason not to be stored.
    await app.get(DataSource).transaction(async (manager) => {
      await app.get(QueryCache).run(manager.getRepository(User).createQueryBuilder('u'));
    });
    const { body } = await app.inject({ url: '/metrics' });
    series = seriesOf(body);
  });

  it('names unknown metrics and labels if there are any', () => {
    expect(unknownIn('tidemark_cache_hits_total{level="L1"}', series)).toEqual([]);
    expect(unknownIn('sum by (query) (rate(tidemark_cache_hits_total[5m]))', series)).toEqual([]);
    expect(unknownIn('tidemark_cache_hit_total{level="L1"}', series)).toEqual([
      'tidemark_cache_hit_total',
      'tidemark_cache_hit_total{level}',
    ]);
    expect(unknownIn('tidemark_cache_hits_total{region="EU"}', series)).toEqual([
      'tidemark_cache_hits_total{region}',
    ]);
    expect(unknownIn('sum by (region) (tidemark_cache_hits_total)', series)).toEqual(['region']);
    expect(unknownIn('tidemark_outbox_lag_seconds', series)).toEqual([
      'tidemark_outbox_lag_seconds',
    ]);
  });

  it('has alerts whose metrics and labels exist', () => {
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, expr } of rules)
      expect([alert, unknownIn(expr, series)]).toEqual([alert, []]);
  });

  it('has alerts with a severity, a summary, a description and a section of the runbook', () => {
    const runbook = read(OPERATIONS);
    const headings = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, text]) => String(text));
    const anchors = headings.map((heading) => `${OPERATIONS}#${anchorOf(heading)}`);
    for (const { alert, labels, annotations } of rules) {
      expect({ alert, ...labels, ...annotations }).toEqual({
        alert,
        severity: expect.stringMatching(/^(?:page|ticket)$/),
        summary: expect.stringMatching(/^[A-Z].{10,}[^.]$/),
        description: expect.stringMatching(/.{10,}\.$/),
        runbook: expect.toBeOneOf(anchors),
      });
      expect(runbook).toContain(`\`${alert}\``);
    }
  });

  it('has a dashboard whose metrics and labels exist, also those of legends', () => {
    expect(panels.length).toBeGreaterThan(20);
    const unknown = panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr, legendFormat }) => {
        const grouped = [...expr.matchAll(GROUPED)].flatMap(([, list = '']) =>
          list.split(/\s*,\s*/),
        );
        const inLegend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) =>
          String(label),
        );
        const missing = inLegend.filter((label) => ![...grouped, ...OF_PROMETHEUS].includes(label));
        return [...unknownIn(expr, series), ...missing].map((name) => `${title}: ${name}`);
      }),
    );
    expect(unknown).toEqual([]);
  });

  it('has a dashboard with one variable: the data source of all its panels', () => {
    expect(dashboard.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource' }]);
    for (const { title, datasource, description, targets = [] } of panels) {
      const sources = [datasource, ...targets.map((target) => target.datasource)];
      expect({ title, description, uids: new Set(sources.map((source) => source?.uid)) }).toEqual({
        title,
        description: expect.stringMatching(/\.$/),
        uids: new Set(['${datasource}']),
      });
      expect(sources.length).toBeGreaterThan(1);
    }
  });

  it.each([
    OPERATIONS,
    'docs/observe/metrics.md',
    'docs/limits.md',
    'docs/outside-writers.md',
    'docs/redis-security.md',
  ])('%s names no metric that does not exist', (path) => {
    const names = new Set(read(path).match(METRIC));
    expect(names.size).toBeGreaterThan(0);
    const exists = (name: string): boolean => series.has(name) || series.has(`${name}_bucket`);
    expect([...names].filter((name) => !exists(name))).toEqual([]);
  });

  it('docs/observe/metrics.md names every metric of the cache', () => {
    const text = read('docs/observe/metrics.md');
    const own = [...series.keys()]
      .filter((name) => /^tidemark_(?!http)/.test(name))
      .map((name) => name.replace(/_seconds_(?:bucket|sum|count)$/, '_seconds'));
    expect(own.length).toBeGreaterThan(30);
    expect([...new Set(own)].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
