/** The versions that an answer depends on. */
import { dimensionValue } from './canonical-value.js';
import type { ReadSet } from '../../core/read-set.js';
import type { ReadAnalysis, TableRead } from '../../core/statement-analysis.js';
import type { Catalog, Dimension, TableFacts } from '../../core/table-facts.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from '../../core/versions.js';
import { UnkeyableParameterError } from './canonical-encoding.js';
import { namesMoment } from './moments.js';
import { restrictedTexts } from './term-values.js';

type CacheableRead = Extract<ReadAnalysis, { cacheable: true }>;

/**
 * One dependency per table: on the narrowest restriction whose values all have a canonical text, or on the whole table
 * if there is none.
 *
 * @throws UnkeyableParameterError if a parameter may name a moment, such as `now`: the same text would mean another
 *   date tomorrow.
 */
export function dependenciesOf(
  analysis: CacheableRead,
  parameters: readonly unknown[],
  catalog: Catalog,
): ReadSet {
  refuseMoments(analysis, parameters);
  let completeRowCount: number | undefined;
  const tables = analysis.tables.map((read) => {
    const facts = catalog.tableById(read.table);
    const narrowest = facts && narrowestOf(read, facts, parameters);
    if (!narrowest) return { table: read.table, names: [WHOLE_TABLE] };
    const { name } = narrowest.dimension;
    if (name === facts.primaryKey && analysis.rowPerKey) completeRowCount = narrowest.values.length;
    return {
      table: read.table,
      names: [...narrowest.values.map((value) => valueVersion(name, value)), unknownVersion(name)],
    };
  });
  return { tables, completeRowCount };
}

/** The same dependencies, plus every write to the tables. */
export function withWholeTables(own: ReadSet, reads: readonly TableRead[]): ReadSet {
  const whole = new Set(reads.map(({ table }) => table));
  return {
    ...own,
    tables: [
      ...own.tables.filter(({ table }) => !whole.has(table)),
      ...[...whole].map((table) => ({ table, names: [WHOLE_TABLE] })),
    ],
  };
}

/** The values are distinct and sorted. */
function narrowestOf(
  { restrictions }: TableRead,
  facts: TableFacts,
  parameters: readonly unknown[],
): { readonly dimension: Dimension; readonly values: readonly string[] } | undefined {
  for (const restriction of restrictions) {
    const texts = restrictedTexts(restriction, facts, parameters);
    if (!texts) continue;
    const values = [...new Set(texts.map(dimensionValue))].toSorted();
    return { dimension: restriction.dimension, values };
  }
  return undefined;
}

/** A parameter that restricts a table is compared with a column that is not a date. */
function refuseMoments({ tables }: CacheableRead, parameters: readonly unknown[]): void {
  if (!parameters.some(namesMoment)) return;
  const terms = tables.flatMap(({ restrictions }) =>
    restrictions.flatMap(({ tuples }) => tuples.flat()),
  );
  const restricting = new Set(terms.map((term) => term.kind !== 'constant' && term.index));
  parameters.forEach((value, index) => {
    if (!restricting.has(index) && namesMoment(value)) {
      throw new UnkeyableParameterError(`$${index + 1}`, 'may name a moment, such as now');
    }
  });
}
