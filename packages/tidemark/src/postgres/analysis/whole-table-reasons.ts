/** Why a query depends on a table as a whole: for explanations, found only when they are read. */
import type { Dimension, TableFacts } from '../../core/table-facts.js';
import type { TableRead } from '../../core/statement-analysis.js';
import { isSame, MAX_TUPLES, tuplesOf, type Equality, type TableReference } from './restriction.js';
import type { ColumnPosition } from './from-clause.js';
import type { TermReader } from './terms.js';

/** Why no restriction of the table holds for all its references together. */
export function whyUnrestricted(
  table: TableFacts,
  references: readonly TableReference[],
  terms: TermReader,
): string {
  const { id, dimensions } = table;
  const openIn = (dimension: Dimension): TableReference[] =>
    references.filter((reference) => !tuplesOf(reference, dimension, terms));
  // The dimension that lacks least.
  const [nearest] = dimensions
    .map((dimension) => ({ dimension, open: openIn(dimension) }))
    .toSorted((a, b) => a.open.length - b.open.length);
  if (!nearest) {
    return `${id} has no primary key and no @CacheRegion column of type text, integer, uuid or boolean`;
  }
  const { dimension, open } = nearest;
  const [reference] = open;
  if (!reference) return `the conditions name more than ${MAX_TUPLES} values of ${dimension.name}`;
  const detail = whyOpen(reference, dimensions, terms);
  if (open.length === references.length) return detail;
  return `${references.length - open.length} of ${references.length} references are restricted; ${detail}`;
}

/** Why no dimension restricts the reference. */
function whyOpen(
  { item, equalities }: TableReference,
  dimensions: readonly Dimension[],
  terms: TermReader,
): string {
  const name = item.qualifier ?? item.table?.name ?? '';
  const positions = dimensions.flatMap(({ columns }) =>
    columns.flatMap((column) => {
      const facts = item.columns?.get(column);
      return facts ? [{ item, column: facts }] : [];
    }),
  );
  for (const position of positions) {
    const own = equalities.filter(({ column }) => isSame(column, position));
    if (own.some((equality) => equality.terms.length > MAX_TUPLES)) {
      return `the conditions name more than ${MAX_TUPLES} values of ${nameOf(position)}`;
    }
    const ambiguous = own.flatMap((equality) =>
      equality.terms.filter((term) => !terms.isOnly(term, position.column.kind)),
    )[0];
    if (ambiguous && ambiguous.kind !== 'constant') {
      return `$${ambiguous.index + 1} restricts ${nameOf(position)}, but is also used where its type may be another`;
    }
    const partner = partnerOf(position, equalities);
    if (partner) {
      return `${name} is joined by ${nameOf(position)} = ${nameOf(partner)}, and no condition restricts either to values`;
    }
  }
  const columns = dimensions.map(({ columns: names }) => names.join(' and ')).join(' or ');
  return `no condition restricts ${name} to values of ${columns}`;
}

function partnerOf(
  position: ColumnPosition,
  equalities: readonly Equality[],
): ColumnPosition | undefined {
  for (const { column, other } of equalities) {
    if (!other) continue;
    if (isSame(column, position)) return other;
    if (isSame(other, position)) return column;
  }
  return undefined;
}

function nameOf({ item, column }: ColumnPosition): string {
  return item.qualifier === undefined ? column.name : `${item.qualifier}.${column.name}`;
}

/** Why a table with restrictions counts whole nevertheless: under these parameters none has known values. */
export function whyValuesUnknown(
  { restrictions }: TableRead,
  parameters: readonly unknown[],
): string {
  const [restriction] = restrictions;
  if (!restriction) return 'no condition restricts it';
  const { dimension, tuples } = restriction;
  const lists = tuples.flat().filter((term) => term.kind === 'elements');
  const isLong = lists.some(({ index }) => {
    const list = parameters[index];
    return Array.isArray(list) && list.length > MAX_TUPLES;
  });
  return isLong || tuples.length > MAX_TUPLES
    ? `more than ${MAX_TUPLES} values of ${dimension.name} are given`
    : `a value given for ${dimension.name} is none of its type`;
}
