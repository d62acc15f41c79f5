import { wallClock } from '../core/ports/clock.js';
import type { CacheEntry, EntryStore } from '../core/ports/entry-store.js';
import type { Regions } from '../core/ports/cache-events.js';
import type { TableVersionNames } from '../core/ports/version-store.js';
import type { L1Entry } from '../l1/l1-entry.js';
import { sqlWithoutValues } from '../postgres/analysis/sql-without-values.js';
import type { CatalogCache } from '../typeorm/database/catalog-cache.js';
import { explainDependencies, REMEDIES } from '../typeorm/queries/explain-plan.js';
import type { CallRefusal, LastCalls } from '../typeorm/queries/last-calls.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import type { QueryTreatment, TreatedEntry } from './query-treatment.js';
import type { ReadCore } from './read-core.js';

export const DISABLED = {
  reason: 'disabled',
  detail: 'QueryCacheModule has `enabled: false`',
} as const;

export function remedyFor(reason: CallRefusal['reason']): string {
  return reason === 'disabled' ? 'Leave out `enabled`.' : REMEDIES[reason];
}

export interface QueryTreatmentsParts {
  readonly calls: LastCalls;
  readonly schema: CatalogCache;
  readonly core: Pick<ReadCore, 'gate' | 'local'>;
  readonly entries: EntryStore;
  readonly regionNames: (tables: readonly TableVersionNames[]) => Regions;
  readonly options: Pick<QueryCacheOptions, 'exposeValues'>;
}

/** Explains how the cache treats queries, by their names. */
export class QueryTreatments {
  constructor(private readonly parts: QueryTreatmentsParts) {}

  /** `undefined`: the query has not been compiled in this process, or too long ago. */
  async of(name: string): Promise<QueryTreatment | undefined> {
    const { calls, schema, regionNames, options } = this.parts;
    const call = calls.get(name);
    if (!call) return undefined;
    const { plan, parameters } = call;
    const sql = options.exposeValues === true ? call.sql : await sqlWithoutValues(call.sql);
    if (!('key' in plan)) {
      const { reason, detail } = plan;
      return { sql, cacheable: false, reason, detail, remedy: remedyFor(reason) };
    }
    const { key, dependencies } = plan;
    const entry = await this.#entryOf(key, dependencies.tables);
    const shown = { tables: regionNames(dependencies.tables) };
    const explained = explainDependencies(schema, { sql: call.sql, parameters }, shown);
    return { sql, cacheable: true, key, dependencies: explained, entry };
  }

  async #entryOf(
    key: string,
    tables: readonly TableVersionNames[],
  ): Promise<TreatedEntry | undefined> {
    const { core, entries } = this.parts;
    const freshness = await core.gate.check(tables);
    if (!freshness.trusted) return undefined;
    const { text } = freshness.stamp;
    const isValid = ({ stamp, expiresAtMs }: CacheEntry): boolean =>
      stamp === text && expiresAtMs > wallClock.nowMs();
    const local: L1Entry | undefined = core.local.get(key);
    if (local && isValid(local)) return treated('L1', local, local.content.length);
    const stored = await entries.get(key).catch(() => undefined);
    return stored && isValid(stored) ? treated('L2', stored, stored.body.length) : undefined;
  }
}

function treated(level: TreatedEntry['level'], entry: CacheEntry, bytes: number): TreatedEntry {
  const nowMs = wallClock.nowMs();
  // The clock of another instance may have dated the entry.
  const ageMs = Math.max(0, nowMs - entry.createdAtMs);
  return { level, bytes, ageMs, leftMs: entry.expiresAtMs - nowMs };
}
