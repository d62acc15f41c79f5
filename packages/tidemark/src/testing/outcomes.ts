import { AssertionError } from 'node:assert/strict';
import type { BypassReason, CacheEventMap, CacheEvents } from '../core/ports/cache-events.js';
import type { UncacheableReason } from '../core/statement-analysis.js';

/**
 * The outcome of one call of a query. `L1` (memory) and `L2` (Redis) are hits. The reason in brackets says why an
 * answer was not stored.
 */
export type Outcome =
  | 'L1'
  | 'L2'
  | 'miss'
  | `miss (${UncacheableReason})`
  | `bypass: ${BypassReason}`
  | `bypass: ${BypassReason} (${string})`;

/** `hit`: `L1` or `L2`; `miss` and `bypass`: with any reason. */
export type ExpectedOutcome = Outcome | 'hit' | 'bypass';

/** How queries were answered since `outcomesOf` was called. */
export interface RecordedOutcomes {
  /** The outcomes of the query with this name, in the order of its answers. */
  of(query: string): readonly Outcome[];
  /** The outcomes of all queries, by name. */
  all(): ReadonlyMap<string, readonly Outcome[]>;
  /**
   * Asserts the outcomes of a query so far.
   *
   * @throws AssertionError that shows the recorded outcomes
   */
  expect(query: string, ...expected: readonly ExpectedOutcome[]): void;
  /**
   * Repeats `work`, which runs the query, until the query has the outcome; resolves with the result of `work`. Right
   * after a write, a read can bypass the cache for some milliseconds: tests of hits wait for them with this.
   *
   * @param timeoutMs after this time it rejects with an AssertionError; default: 5000
   */
  until<T>(
    query: string,
    expected: ExpectedOutcome,
    work: () => PromiseLike<T>,
    timeoutMs?: number,
  ): Promise<T>;
  /** Forgets the recorded outcomes. */
  clear(): void;
  /** Stops recording. */
  stop(): void;
}

const UNTIL_MS = 5_000;
/** Pause between two repetitions. */
const PAUSE_MS = 10;

/**
 * Records the outcomes of queries from now on.
 *
 * @param cache the `QueryCache` of the application
 */
export function outcomesOf({ events }: { readonly events: CacheEvents }): RecordedOutcomes {
  const recorded = new Map<string, Outcome[]>();
  const record = (query: string, outcome: Outcome): void => {
    recorded.set(query, [...(recorded.get(query) ?? []), outcome]);
  };
  const onHit = ({ query, level }: CacheEventMap['hit'][0]): void => record(query, level);
  const onMiss = ({ query, refusal }: CacheEventMap['miss'][0]): void =>
    record(query, refusal === undefined ? 'miss' : `miss (${refusal})`);
  const onBypass = ({ query, reason, detail }: CacheEventMap['bypass'][0]): void => {
    const isPlain = detail === undefined || detail === reason;
    record(query, isPlain ? `bypass: ${reason}` : `bypass: ${reason} (${detail})`);
  };
  events.on('hit', onHit).on('miss', onMiss).on('bypass', onBypass);
  const of = (query: string): readonly Outcome[] => recorded.get(query) ?? [];
  return {
    of,
    all: () => recorded,
    expect: (query, ...expected) => {
      const actual = of(query);
      const isEqual =
        actual.length === expected.length &&
        expected.every((outcome, at) => matches(actual[at], outcome));
      if (!isEqual) throw unexpected(`Outcomes of ${query}`, expected, actual);
    },
    until: async (query, expected, work, timeoutMs = UNTIL_MS) => {
      const deadlineMs = performance.now() + timeoutMs;
      for (;;) {
        const before = of(query).length;
        const result = await work();
        const outcomes = of(query).slice(before);
        if (outcomes.some((outcome) => matches(outcome, expected))) return result;
        if (performance.now() > deadlineMs) {
          throw unexpected(`Last outcomes of ${query}`, [expected], outcomes);
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
    clear: () => recorded.clear(),
    stop: () => {
      events.off('hit', onHit).off('miss', onMiss).off('bypass', onBypass);
    },
  };
}

function matches(actual: Outcome | undefined, expected: ExpectedOutcome): boolean {
  if (actual === undefined) return false;
  if (expected === 'hit') return actual === 'L1' || actual === 'L2';
  return expected === 'miss' || expected === 'bypass'
    ? actual.startsWith(expected)
    : actual === expected;
}

function unexpected(
  subject: string,
  expected: readonly ExpectedOutcome[],
  actual: readonly Outcome[],
): AssertionError {
  const message = `${subject}: expected ${listOf(expected)}, got ${listOf(actual)}.`;
  return new AssertionError({ message, expected, actual, operator: 'outcomes' });
}

function listOf(outcomes: readonly string[]): string {
  return outcomes.length === 0 ? 'none' : outcomes.join(', ');
}
