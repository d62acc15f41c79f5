/** From a compiled query to its key and dependencies, or to the reason why it is not cached. */
import type { Dependencies } from '../core/dependency.js';
import type { ReadAnalysis, UncacheableReason } from '../core/statement-analysis.js';
import type { CompiledQuery } from './compiled-query.js';
import type { DatabaseSchema } from './database-schema.js';
import { dependenciesOf, withWholeTables } from './dependencies.js';
import { UnkeyableParameterError } from './exact-text.js';
import { FillAudit } from './fill-audit.js';
import { refusalIn } from './session-context.js';

/** What an entry's body is: JSON for HTTP, or typed values for callers in this process. */
export type Representation = 'json' | 'value';

export interface CacheablePlan {
  readonly cacheable: true;
  readonly key: string;
  readonly dependencies: Dependencies;
  readonly audit: FillAudit;
}

export type QueryPlan =
  | CacheablePlan
  | { readonly cacheable: false; readonly reason: UncacheableReason; readonly detail: string };

export class QueryPlanner {
  constructor(private readonly schema: DatabaseSchema) {}

  plan(query: CompiledQuery, representation: Representation): QueryPlan {
    if (query.refusal) return { cacheable: false, ...query.refusal };
    const { analyser, catalogue, keys, session } = this.schema;
    const unfit = refusalIn(session);
    if (unfit) return { cacheable: false, ...unfit };
    const analysis = analyser.read(query.sql);
    if (!analysis.cacheable) return analysis;
    const { sql } = query.separate;
    const separate = sql === undefined ? undefined : analyser.read(sql);
    if (separate && !separate.cacheable) return separate;
    try {
      const key = keys.keyOf({
        sql: query.sql,
        parameters: query.parameters,
        values: query.bound?.values,
        answer: representation + query.answer,
      });
      const own = dependenciesOf(analysis, query.parameters, catalogue);
      const all = separate ? withWholeTables(own, separate.tables) : own;
      // A number says nothing of the rows that are missing.
      const isCounted = query.shape === 'count' || query.shape === 'many-and-count';
      const dependencies = isCounted ? { ...all, completeRowCount: undefined } : all;
      const { entity } = query;
      const read = (text: string): ReadAnalysis => analyser.read(text);
      const audit = new FillAudit({ read, catalogue, dependencies, entity, session });
      return { cacheable: true, key, dependencies, audit };
    } catch (error) {
      if (error instanceof UnkeyableParameterError) return refuse('parameter-type', error.message);
      throw error;
    }
  }
}

function refuse(reason: UncacheableReason, detail: string): QueryPlan {
  return { cacheable: false, reason, detail };
}
