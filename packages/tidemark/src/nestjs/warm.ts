/** Fills the cache before requests arrive. */
import type { BypassReason } from '../core/ports/cache-events.js';
import { pause, systemTimers } from '../core/ports/clock.js';
import type { BoundQuery } from '../typeorm/queries/bound-query.js';
import { UnencodableValueError } from '../typeorm/answers/value-codec.js';
import type { CacheReader } from './cache-reader.js';
import type { JsonOutcome } from './planned-reads.js';

/** Options of `QueryCache.warm`. */
export interface WarmOptions {
  /** Most queries that run at once. Default: 4. */
  readonly concurrency?: number;
  /**
   * The callers whose answers are stored: `routes` get JSON, `run` gets values, and each is an entry. Default: `both`,
   * which runs each query twice.
   */
  readonly for?: 'routes' | 'run' | 'both';
}

/** The number of queries by outcome. */
export interface WarmResult {
  /** Run and stored now. */
  readonly filled: number;
  /** Stored before. */
  readonly present: number;
  /** Answered by the database and not stored. */
  readonly uncacheable: number;
  readonly failures: readonly { readonly query: string; readonly error: unknown }[];
}

type Warmed = 'filled' | 'present' | 'uncacheable';

/** These end by themselves, for example shortly after the start. */
const PASSING: ReadonlySet<BypassReason> = new Set(['in-doubt', 'settling', 'schema-change']);
const RETRY_MS = 100;
const MAX_RETRIES = 20;

export async function warm(
  reader: CacheReader,
  queries: readonly BoundQuery[],
  { concurrency = 4, for: callers = 'both' }: WarmOptions = {},
): Promise<WarmResult> {
  const counts: Record<Warmed, number> = { filled: 0, present: 0, uncacheable: 0 };
  const failures: { query: string; error: unknown }[] = [];
  const waiting = queries.values();
  const work = async (): Promise<void> => {
    for (const query of waiting) {
      try {
        counts[await warmOne(reader, query, callers)] += 1;
      } catch (error) {
        failures.push({ query: query.name, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  return { ...counts, failures };
}

async function warmOne(
  reader: CacheReader,
  query: BoundQuery,
  callers: WarmOptions['for'],
): Promise<Warmed> {
  const found: Warmed[] = [];
  // Routes get the values of a query with an inline `map`.
  const asValues = query.forCaller !== undefined;
  if (callers !== 'run' && !asValues) {
    try {
      found.push(await settled(() => reader.readJson(query, {})));
    } catch (error) {
      // Routes get the values of such a query.
      if (!(error instanceof UnencodableValueError)) throw error;
      callers = 'both';
    }
  }
  if (callers !== 'routes' || asValues) {
    found.push(await settled(async () => (await reader.readValue(query, {})).outcome));
  }
  if (found.includes('uncacheable')) return 'uncacheable';
  return found.includes('filled') ? 'filled' : 'present';
}

async function settled(read: () => Promise<JsonOutcome>): Promise<Warmed> {
  for (let retries = 0; ; retries += 1) {
    const outcome = await read();
    if (outcome.source === 'hit') return 'present';
    if (outcome.source === 'miss') return outcome.stored ? 'filled' : 'uncacheable';
    if (outcome.reason === 'shadow') return 'present';
    if (!PASSING.has(outcome.reason) || retries === MAX_RETRIES) return 'uncacheable';
    await pause(systemTimers, RETRY_MS);
  }
}
