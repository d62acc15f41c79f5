/**
 * A metric of prom-client whose values are read when Prometheus asks for them. Counting is then an addition to a plain
 * number: `inc` and `observe` of prom-client build a key of the labels with each call.
 */
import type { Metric, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string;
}

export interface CollectedMetricParts {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  /** Called for each scrape; a rejection fails the scrape. */
  readonly collect: () => Iterable<Sample> | Promise<Iterable<Sample>>;
}

export class CollectedMetric {
  /** The registry changes it for OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: CollectedMetricParts['type'];
  /** For the sum over the processes of a Node cluster. */
  readonly aggregator = 'sum';

  constructor(private readonly parts: CollectedMetricParts) {
    ({ name: this.name, help: this.help, type: this.type } = parts);
  }

  /** @throws Error if the registry has another metric of the same name */
  register(registry: Pick<Registry, 'registerMetric'>): void {
    // The types of prom-client admit its own classes alone; a registry calls `get` and `reset`.
    registry.registerMetric(this as unknown as Metric);
  }

  async get() {
    const { name, help, type, aggregator } = this;
    const values = [...(await this.parts.collect())].map(({ labels, value, suffix }) => ({
      labels,
      value,
      ...(suffix !== undefined && { metricName: name + suffix }),
    }));
    return { name, help, type, aggregator, values };
  }

  /** Totals only grow. */
  reset(): void {}
}
