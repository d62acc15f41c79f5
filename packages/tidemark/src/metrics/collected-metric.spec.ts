import { describe, expect, it } from 'vitest';
import { Registry, type OpenMetricsContentType } from 'prom-client';
import { CollectedMetric, type CollectedMetricParts } from './collected-metric.js';
import { Durations } from './durations.js';

function registryOf(parts: Pick<CollectedMetricParts, 'type' | 'name' | 'collect'>): Registry {
  const registry = new Registry();
  new CollectedMetric({ help: 'Help', ...parts }).register(registry);
  return registry;
}

describe('a metric that is read when it is collected', () => {
  it('is text with the values of that moment', async () => {
    let value = 1;
    const registry = registryOf({
      type: 'counter',
      name: 'reads_total',
      collect: () => [{ labels: { query: 'a "b"\n' }, value }],
    });
    value = 3;
    expect(await registry.metrics()).toBe(
      '# HELP reads_total Help\n# TYPE reads_total counter\nreads_total{query="a \\"b\\"\\n"} 3\n',
    );
  });

  it('is a histogram of seconds with cumulated buckets', async () => {
    const durations = new Durations([1, 2.5]);
    for (const durationMs of [0.5, 1, 2, 9]) durations.add(durationMs);
    const registry = registryOf({
      type: 'histogram',
      name: 'read_seconds',
      collect: () => durations.samples({ level: 'L1' }),
    });
    expect((await registry.metrics()).split('\n').slice(2)).toEqual([
      'read_seconds_bucket{level="L1",le="0.001"} 2',
      'read_seconds_bucket{level="L1",le="0.0025"} 3',
      'read_seconds_bucket{level="L1",le="+Inf"} 4',
      'read_seconds_sum{level="L1"} 0.0125',
      'read_seconds_count{level="L1"} 4',
      '',
    ]);
  });

  it('has the form of OpenMetrics in a registry of that type', async () => {
    const registry = new Registry<OpenMetricsContentType>();
    new CollectedMetric({
      type: 'counter',
      name: 'reads_total',
      help: 'Help',
      collect: () => [{ labels: {}, value: 1 }],
    }).register(registry);
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    expect(await registry.metrics()).toBe(
      '# HELP reads Help\n# TYPE reads counter\nreads_total 1\n# EOF\n',
    );
  });

  it('keeps its total when the registry is reset', async () => {
    const registry = registryOf({
      type: 'counter',
      name: 'reads_total',
      collect: () => [{ labels: {}, value: 2 }],
    });
    registry.resetMetrics();
    expect(await registry.metrics()).toContain('reads_total 2');
  });
});
