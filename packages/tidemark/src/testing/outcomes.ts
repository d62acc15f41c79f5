import type { BypassReason, CacheEventMap, CacheEvents } from '../core/ports/cache-events.js';

/** The outcome of one call of a query: `L1` and `L2` are hits. */
export type Outcome = 'L1' | 'L2' | 'miss' | `bypass: ${BypassReason}`;

export interface RecordedOutcomes {
  /** The outcomes of the query with this name, in the order of its answers. */
  of(query: string): readonly Outcome[];
  /** Forgets the recorded outcomes. */
  clear(): void;
  /** Stops recording. */
  stop(): void;
}

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
  const onMiss = ({ query }: CacheEventMap['miss'][0]): void => record(query, 'miss');
  const onBypass = ({ query, reason }: CacheEventMap['bypass'][0]): void =>
    record(query, `bypass: ${reason}`);
  events.on('hit', onHit).on('miss', onMiss).on('bypass', onBypass);
  return {
    of: (query) => recorded.get(query) ?? [],
    clear: () => recorded.clear(),
    stop: () => {
      events.off('hit', onHit).off('miss', onMiss).off('bypass', onBypass);
    },
  };
}
