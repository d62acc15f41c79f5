import type { ReadSet } from '../../core/read-set.js';
import type { Refusal } from '../../core/statement-analysis.js';
import type { CompiledQuery } from './compiled-query.js';
import type { CatalogCache } from '../database/catalog-cache.js';
import { dependenciesOf, withWholeTables } from '../../postgres/analysis/read-set-of-plan.js';
import { UnkeyableParameterError } from '../../postgres/analysis/canonical-encoding.js';
import { FillAudit } from './fill-audit.js';
import { refusalIn } from '../database/session-context.js';

/** The body of an entry: JSON for HTTP, or typed values for callers in this process. */
export type Representation = 'json' | 'value';

export interface CacheablePlan {
  readonly cacheable: true;
  readonly key: string;
  readonly dependencies: ReadSet;
  readonly audit: FillAudit;
}

export type QueryPlan = CacheablePlan | ({ readonly cacheable: false } & Refusal);

/** Returns the key and read set of a compiled query, or the reason why it is not cached. */
export function planQuery(
  schema: CatalogCache,
  { refusal, separate, sql, parameters, bound, answer, shape, entity }: CompiledQuery,
  representation: Representation,
): QueryPlan {
  if (refusal) return { cacheable: false, ...refusal };
  const { analyser, catalog, keys, session } = schema;
  const unfit = refusalIn(session);
  if (unfit) return { cacheable: false, ...unfit };
  const analysis = analyser.read(sql);
  if (!analysis.cacheable) return analysis;
  const others = separate.sql === undefined ? undefined : analyser.read(separate.sql);
  if (others && !others.cacheable) return others;
  try {
    const values = bound?.values;
    const key = keys.keyOf({ sql, parameters, values, answer: representation + answer });
    const own = dependenciesOf(analysis, parameters, catalog);
    const all = others ? withWholeTables(own, others.tables) : own;
    // A count does not show which rows are missing.
    const isCounted = shape === 'count' || shape === 'exists' || shape === 'many-and-count';
    const dependencies = isCounted ? { ...all, completeRowCount: undefined } : all;
    const read = analyser.read.bind(analyser);
    const audit = new FillAudit({ read, catalog, dependencies, entity, session });
    return { cacheable: true, key, dependencies, audit };
  } catch (error) {
    if (!(error instanceof UnkeyableParameterError)) throw error;
    return { cacheable: false, reason: 'parameter-type', detail: error.message };
  }
}
