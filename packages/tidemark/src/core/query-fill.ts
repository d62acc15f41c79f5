/**
 * Runs a query under a stamp that was read before, builds the entry of its answer, and names the reason not to store
 * it.
 */
import type { CacheEvents } from './ports/cache-events.js';
import type { Clock } from './ports/clock.js';
import type { ReadSet } from './read-set.js';
import type { Filled } from './distributed-single-flight.js';
import type { FreshnessGate, Stamp } from './freshness-gate.js';
import type { Answer, ReadRequest } from './read-request.js';
import type { UncacheableReason } from './statement-analysis.js';
import { isValueVersion } from './versions.js';

const MINUTE_MS = 60_000;

export interface QueryFillOptions {
  /** An answer with a longer body is not stored. */
  readonly maxEntryBytes: number;
  /** Stored answers for keys without a row, in keys per minute; beyond that the answer is sent and not stored. */
  readonly unknownKeysPerMinute: number;
}

export interface QueryFillParts {
  readonly gate: FreshnessGate;
  readonly tagOf: (body: Buffer) => string;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: Clock;
  readonly monotonicClock: Clock;
  readonly events: Pick<CacheEvents, 'tracer'>;
}

export class QueryFill {
  readonly #unknownKeys: RateLimit;

  constructor(
    private readonly parts: QueryFillParts,
    private readonly options: QueryFillOptions,
  ) {
    this.#unknownKeys = new RateLimit(options.unknownKeysPerMinute, parts.monotonicClock);
  }

  /** Rejects as the query does. */
  async run(request: ReadRequest, stamp: Stamp): Promise<Filled> {
    const { gate, wallClock, tagOf } = this.parts;
    const { query, dependencies } = request;
    const { tracer } = this.parts.events;
    let answer: Answer;
    try {
      answer = await (tracer
        ? tracer.fill(query, dependencies.tables, request.run)
        : request.run());
    } catch (error) {
      gate.notStored(stamp);
      throw error;
    }
    const { body, empty, headers } = answer;
    const refusal = this.#whyUncacheable(answer, dependencies);
    const ttlMs = request.ttlMs(answer);
    if (refusal === undefined) gate.stored(stamp, dependencies.tables, ttlMs);
    else gate.notStored(stamp);
    const createdAtMs = wallClock.nowMs();
    const expiresAtMs = createdAtMs + ttlMs;
    const tag = tagOf(body);
    const entry = { stamp: stamp.text, body, empty, tag, createdAtMs, expiresAtMs, headers };
    return { entry, refusal };
  }

  #whyUncacheable(answer: Answer, dependencies: ReadSet): UncacheableReason | undefined {
    if (answer.refusal !== undefined) return answer.refusal;
    if (answer.body.length > this.options.maxEntryBytes) return 'too-large';
    return this.#unknownKeys.take(unknownKeys(answer, dependencies)) ? undefined : 'unknown-keys';
  }
}

/** How many of the requested keys have no row, as far as the answer shows. */
function unknownKeys({ empty, rowCount }: Answer, dependencies: ReadSet): number {
  const { completeRowCount, tables } = dependencies;
  if (!empty) return Math.max(0, (completeRowCount ?? 0) - rowCount);
  return tables.reduce((sum, { names }) => sum + names.filter(isValueVersion).length, 0);
}

/** Lets `perMinute` units pass in a minute: that many at once, then as many as the elapsed time restores. */
class RateLimit {
  #left: number;
  #atMs: number;

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {
    this.#left = perMinute;
    this.#atMs = clock.nowMs();
  }

  /** Whether `count` more units may pass now; counts them only if they may. */
  take(count: number): boolean {
    const nowMs = this.clock.nowMs();
    const regained = ((nowMs - this.#atMs) / MINUTE_MS) * this.perMinute;
    this.#left = Math.min(this.perMinute, this.#left + regained);
    this.#atMs = nowMs;
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }
}
