/** From a compiled query to its key and dependencies, or to the reason why it is not cached. */
import type { Dependencies } from '../core/dependency.js';
import type { UncacheableReason } from '../core/statement-analysis.js';
import type { CompiledQuery } from './compiled-query.js';
import type { DatabaseSchema } from './database-schema.js';
import { dependenciesOf } from './dependencies.js';
import { UnkeyableParameterError } from './query-key.js';

/** What an entry's body is: JSON for HTTP, or typed values for callers in this process. */
export type Representation = 'json' | 'value';

export type QueryPlan =
  | { readonly cacheable: true; readonly key: string; readonly dependencies: Dependencies }
  | { readonly cacheable: false; readonly reason: UncacheableReason; readonly detail: string };

export class QueryPlanner {
  constructor(private readonly schema: DatabaseSchema) {}

  plan(query: CompiledQuery, representation: Representation): QueryPlan {
    if (query.refusal) return refuse(query.refusal, 'the query builder asks for more than its SQL');
    const { analyser, catalogue, keys } = this.schema;
    const analysis = analyser.read(query.sql);
    if (!analysis.cacheable) return analysis;
    try {
      const key = keys.keyOf({
        sql: query.sql,
        parameters: query.parameters,
        answer: representation + query.answer,
      });
      const dependencies = dependenciesOf(analysis, query.parameters, catalogue);
      return {
        cacheable: true,
        key,
        // A number says nothing of the rows that are missing.
        dependencies:
          query.shape === 'count' ? { ...dependencies, completeRowCount: undefined } : dependencies,
      };
    } catch (error) {
      if (error instanceof UnkeyableParameterError) return refuse('parameter-type', error.message);
      throw error;
    }
  }
}

function refuse(reason: UncacheableReason, detail: string): QueryPlan {
  return { cacheable: false, reason, detail };
}
