/** Compares the answers of instances with the database. */
import { setTimeout as delay } from 'node:timers/promises';
import type { QueryName } from '../fixtures/queries.js';
import { fresh, stale, type Verdict } from '../scenarios/verdict.js';
import type { Cluster, ClusterInstance } from './cluster.js';

const PAUSE_MS = 50;
/** Old answers in a row after which the answer stays old until its time to live ends. */
const OLD_READS = 10;
/** Ten of them take longer than any peer waits before it sends a notice again (2 s). */
const OLD_PAUSE_MS = 300;
/** For how long an instance may answer from the database before it counts as not caching. */
const RECOVERY_MS = 20_000;

/**
 * Reads until every instance answers without SQL. Stale at the first answer that is not the
 * database's; a read that fails is no answer and is tried again.
 */
export async function verdictOf(
  cluster: Cluster,
  query: QueryName,
  ...instances: readonly ClusterInstance[]
): Promise<Verdict> {
  let anySql = false;
  for (const instance of instances) {
    const limitMs = performance.now() + RECOVERY_MS;
    for (;;) {
      const answer = await cluster.read(instance, query).catch(() => undefined);
      if (answer && answer.value !== (await cluster.current(query))) {
        return stale(await howLong(cluster, query, instance));
      }
      anySql ||= answer?.ranSql !== false;
      if (answer?.ranSql === false) break;
      if (performance.now() > limitMs) return fresh('not cached');
      await delay(PAUSE_MS);
    }
  }
  return fresh(anySql ? 'SQL ran again' : 'from the cache');
}

async function howLong(
  cluster: Cluster,
  query: QueryName,
  instance: ClusterInstance,
): Promise<string> {
  for (let reads = 1; reads < OLD_READS; reads += 1) {
    await delay(OLD_PAUSE_MS);
    const { value } = await cluster.read(instance, query);
    if (value === (await cluster.current(query))) return reads === 1 ? 'once' : 'for a moment';
  }
  return 'until its TTL ends';
}
