/** Makes spans and metrics of OpenTelemetry of the work of one cache. */
import {
  context,
  metrics,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Counter,
  type Histogram,
} from '@opentelemetry/api';
import type { TracedRead, TracedWrite, Tracer } from '../core/ports/tracer.js';
import type { TableVersionNames } from '../core/ports/version-store.js';
import type { Answer } from '../core/read-request.js';
import { failureOf, isAbandoned, outcomeOf, OUTCOME, QUERY, tablesOf } from './span-attributes.js';

const SCOPE = '@tidemark/nestjs';
/** Bounds for histograms in seconds: those of the conventions begin at 5 ms, longer than most hits. */
const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10,
];

interface Spanned<T> {
  readonly name: string;
  readonly attributes: Attributes;
  readonly parent?: Context;
  readonly duration: Histogram;
  readonly work: () => Promise<T>;
  /** Attributes of the result for the span and for the metrics, and for the span alone. */
  readonly outcomeOf: (result: T) => Attributes;
  readonly detailsOf?: (result: T) => Attributes;
}

export class OpenTelemetryTracer implements Tracer {
  readonly #tracer = trace.getTracer(SCOPE);
  readonly #reads: Counter;
  readonly #relayedRows: Counter;
  readonly #readDuration: Histogram;
  readonly #fillDuration: Histogram;
  readonly #publishDuration: Histogram;
  readonly #relayDuration: Histogram;

  /** @param common attributes of all spans and metrics. */
  constructor(private readonly common: Attributes) {
    const meter = metrics.getMeter(SCOPE);
    const histogram = (name: string, description: string): Histogram =>
      meter.createHistogram(`tidemark.cache.${name}.duration`, {
        unit: 's',
        description,
        advice: { explicitBucketBoundaries: BOUNDS },
      });
    this.#reads = meter.createCounter('tidemark.cache.reads', {
      unit: '{read}',
      description: 'Reads, by how they were answered',
    });
    this.#relayedRows = meter.createCounter('tidemark.cache.relay.rows', {
      unit: '{row}',
      description: 'Rows of the outbox that were relayed',
    });
    this.#readDuration = histogram('read', 'Time from a read to its answer');
    this.#fillDuration = histogram('fill', 'Time that the database took for an entry');
    this.#publishDuration = histogram('publish', 'Time to publish a write before its COMMIT');
    this.#relayDuration = histogram('relay', 'Time to publish some rows of the outbox');
  }

  read<T>(query: string, work: () => Promise<T>, readOf: (result: T) => TracedRead): Promise<T> {
    return this.#run({
      name: `cache read ${query}`,
      attributes: { [QUERY]: query },
      duration: this.#readDuration,
      work,
      outcomeOf: (result) => outcomeOf(readOf(result)),
    });
  }

  fill(
    query: string,
    tables: readonly TableVersionNames[],
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    return this.#run({
      name: `cache fill ${query}`,
      attributes: { [QUERY]: query, ...tablesOf(tables.map(({ table }) => table)) },
      duration: this.#fillDuration,
      work,
      outcomeOf: () => ({}),
      detailsOf: ({ body, rowCount }) => ({
        'tidemark.bytes': body.length,
        'tidemark.rows': rowCount,
      }),
    });
  }

  publish<T extends TracedWrite>(work: () => Promise<T>): Promise<T> {
    return this.#run({
      name: 'cache publish',
      attributes: {},
      duration: this.#publishDuration,
      work,
      outcomeOf: ({ unpublishedIn }) => ({
        [OUTCOME]: unpublishedIn.length > 0 ? 'unpublished' : 'published',
      }),
      detailsOf: ({ writeId, tables }) => ({ 'tidemark.write_id': writeId, ...tablesOf(tables) }),
    });
  }

  relay<T>(rows: readonly { readonly table: string }[], work: () => Promise<T>): Promise<T> {
    return this.#run({
      name: 'cache relay',
      attributes: { 'tidemark.rows': rows.length, ...tablesOf(rows.map(({ table }) => table)) },
      parent: ROOT_CONTEXT,
      duration: this.#relayDuration,
      work,
      outcomeOf: () => {
        this.#relayedRows.add(rows.length, this.common);
        return {};
      },
    });
  }

  async #run<T>(spanned: Spanned<T>): Promise<T> {
    const { name, attributes, parent = context.active(), duration, work } = spanned;
    const span = this.#tracer.startSpan(
      name,
      { attributes: { ...this.common, ...attributes } },
      parent,
    );
    const startedMs = performance.now();
    let outcome: Attributes = {};
    try {
      const result = await context.with(trace.setSpan(parent, span), work);
      outcome = spanned.outcomeOf(result);
      if (span.isRecording()) span.setAttributes({ ...outcome, ...spanned.detailsOf?.(result) });
      return result;
    } catch (error) {
      outcome = isAbandoned(error) ? { [OUTCOME]: 'abandoned' } : failureOf(error);
      span.setAttributes(outcome);
      if (!isAbandoned(error)) span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
      const measured = { ...this.common, ...outcome };
      duration.record((performance.now() - startedMs) / 1_000, measured);
      if (duration === this.#readDuration) this.#reads.add(1, measured);
    }
  }
}
