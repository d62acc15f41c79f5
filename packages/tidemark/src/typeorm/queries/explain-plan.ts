/** Explains the read set of a plan, and what makes a query cacheable that is not. */
import type { ReadSet } from '../../core/read-set.js';
import type { TableVersionNames } from '../../core/ports/version-store.js';
import type { UncacheableReason } from '../../core/statement-analysis.js';
import { isValueVersion, WHOLE_TABLE } from '../../core/versions.js';
import { whyValuesUnknown } from '../../postgres/analysis/whole-table-reasons.js';
import type { CatalogCache } from '../database/catalog-cache.js';
import type { CompiledQuery } from './compiled-query.js';

/** A table that an answer depends on. */
export interface ExplainedDependency extends TableVersionNames {
  /** Whether every write to the table ends the answer. */
  readonly isWhole: boolean;
  /** Why the whole table counts, or the values to which the conditions restrict it. */
  readonly reason: string;
}

/** Most values that a reason names. */
const MAX_NAMED = 5;

export function explainDependencies(
  schema: CatalogCache,
  { sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>,
  { tables }: Pick<ReadSet, 'tables'>,
): readonly ExplainedDependency[] {
  const { analyser } = schema;
  const analysis = analyser.read(sql);
  const reads = analysis.cacheable ? analysis.tables : [];
  const unrestricted = analyser.whyWhole(sql);
  return tables.map(({ table, names }) => {
    if (!names.includes(WHOLE_TABLE)) {
      return { table, names, isWhole: false, reason: `restricted to ${valuesOf(names)}` };
    }
    const read = reads.find((one) => one.table === table);
    const reason = read
      ? (unrestricted.get(table) ?? whyValuesUnknown(read, parameters))
      : 'TypeORM reads it by a further statement, whose values are known only when it runs';
    return { table, names, isWhole: true, reason };
  });
}

function valuesOf(names: readonly string[]): string {
  const values = names.filter(isValueVersion);
  const more = values.length - MAX_NAMED;
  const named = values.slice(0, MAX_NAMED).join(', ');
  if (values.length === 0) return 'no value';
  return more > 0 ? `${named} and ${more} more` : named;
}

/** The change that makes a query cacheable, by the reason of its refusal. */
export const REMEDIES: Readonly<Record<UncacheableReason, string>> = {
  'not-a-select': 'Return a SELECT, and send writes with a repository or DataSource.query.',
  unparsable: 'Use syntax that the parser of PostgreSQL 18 takes.',
  'several-statements': 'Send one statement in each query.',
  'volatile-function':
    'Compute the value (the time, a random number) in the application and pass it as a parameter; declare a function ' +
    'of yours IMMUTABLE if it is.',
  'unknown-function':
    'Name the schema of the function, operator or type if it is outside of the search path.',
  'locking-read': 'Read without the lock, or inside the transaction that needs it.',
  'unknown-table':
    'Name the schema of the table if it is outside of the search path; tables of the system are never cached.',
  view: 'Read the tables of the view.',
  'temporary-table': 'Read a permanent table.',
  'row-security':
    'Let policies read columns and the role alone: one that reads a setting is evaluated by the database each time.',
  'separate-statements':
    'Load the relation by a join (leftJoinAndSelect), or map ids of relations without a condition.',
  'lazy-relations': 'Give the definition a `map` that leaves the lazy relation out.',
  'foreign-table': 'Cache it by time elsewhere: writes on the other server are not seen.',
  'unlogged-table': 'ALTER TABLE ... SET LOGGED.',
  'session-settings':
    'Leave the settings of pooled connections as a new connection has them; use SET LOCAL in transactions.',
  standby: 'Connect to the primary.',
  transaction: 'Read outside of the transaction; inside it, the database answers.',
  'query-runner': 'Build the query from the DataSource instead of a query runner.',
  'parameter-type':
    'Pass plain values: text, numbers, booleans, dates, buffers, and lists and objects of these.',
  'value-type':
    'Give the definition a `map` that returns plain values, without frozen objects, accessors or classes of libraries.',
  'plan-changed':
    'Let `build` read its parameters alone, and declare all other inputs as `context`.',
  'impure-map': 'Let `map` and `headers` read their arguments alone.',
  'too-large': 'Select fewer rows or columns, or raise `maxEntryBytes`.',
  'unknown-keys': 'Reject ids that cannot exist before the query, or raise `unknownKeysPerMinute`.',
};
