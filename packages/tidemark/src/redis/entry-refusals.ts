import type { RedisLog } from './connection/outage-state.js';
import type { CacheEvents } from '../core/ports/cache-events.js';
import type { EntryRefusal } from './entry-seal.js';

/** Counts refused entries and warns once per kind: a client that can write them can write many. */
export function entryRefusals(
  namespace: string,
  events: CacheEvents,
  log: RedisLog,
): (reason: EntryRefusal) => void {
  const warned = new Set<EntryRefusal>();
  return (reason) => {
    events.emitSafely('entryRefused', { reason });
    if (warned.has(reason)) return;
    warned.add(reason);
    log.warn(`${WORDS[reason]} (namespace ${namespace}). This is said once; the metric counts.`);
  };
}

const WORDS: Readonly<Record<EntryRefusal, string>> = {
  form:
    'A value in Redis under the key of an entry is no entry of this service and was not used: see which other ' +
    'client writes there, and restrict the keys by ACL',
  seal:
    'An entry in Redis has a seal of another secret and was not used: give all instances the same `entrySecret` ' +
    '(CACHE_ENTRY_SECRET), or the same database password where that is absent, and restrict the keys by ACL',
};
