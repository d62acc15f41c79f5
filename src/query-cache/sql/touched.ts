/** What a write touched, told from its text, its parameters and its outcome. */
import type { TableWrite } from '../core/statement-analysis.js';
import type { Catalogue, Dimension, TableFacts } from '../core/table-facts.js';
import type { TouchedTable } from '../core/touched-regions.js';
import { familyOf } from './cascades.js';
import { isTemporary } from './session-names.js';
import {
  columnText,
  confinedTexts,
  rowTexts,
  termText,
  valueOf,
  type ColumnText,
} from './term-values.js';

type Row = Readonly<Record<string, unknown>>;

/** How a write ended. */
export interface WriteOutcome {
  /** Rows that were written, as node-postgres counts them; `undefined` where nothing counts them. */
  readonly rowCount: number | undefined;
  /** What RETURNING gave. */
  readonly rows: readonly Row[];
  /** The values in the rows as they were and as they are, where a trigger on the table has told. */
  readonly noticed?: TouchedTable['dimensions'] | undefined;
}

/** The texts of a dimension's columns, one list for each row image; `undefined`: not known. */
type Images = readonly (readonly ColumnText[])[] | undefined;

/** All tables whose rows a write changed; `undefined` where the catalogue does not know one. */
export function tablesTouchedBy(
  write: TableWrite,
  parameters: readonly unknown[],
  outcome: WriteOutcome,
  catalogue: Catalogue,
): readonly TouchedTable[] | undefined {
  const facts = catalogue.tableById(write.table);
  if (!facts) return undefined;
  // Only its own connection sees a temporary table, and nothing read over that one is stored.
  if (isTemporary(facts)) return [];
  const touched = touchedBy(write, parameters, outcome, facts);
  if (!touched) return [];
  const all = withRelatives(touched, facts, catalogue);
  if (!all) return undefined;
  for (const id of write.alsoRewrites) {
    const other = catalogue.tableById(id);
    if (!other) return undefined;
    all.push(...familyOf(other, catalogue).map(rewritten));
  }
  return all;
}

/**
 * All tables that rows written to one belong to, from the values of its dimensions in those rows, as
 * texts of their columns; what is not given may be anything. `undefined` where the catalogue does not
 * know a table.
 */
export function tablesOfRows(
  facts: TableFacts,
  values: ReadonlyMap<string, readonly (readonly (string | null)[])[] | null>,
  catalogue: Catalogue,
): readonly TouchedTable[] | undefined {
  const dimensions = facts.dimensions.map((dimension) => {
    const { columns } = dimension;
    const images = values
      .get(dimension.name)
      ?.map((texts) =>
        texts.length === columns.length
          ? rowTexts(dimension, facts, (column) => texts[columns.indexOf(column)])
          : [undefined],
      );
    return [dimension.name, valuesIn([images])] as const;
  });
  const touched = {
    table: facts.id,
    dimensions: new Map(dimensions),
    insertedUnknownKeys: undefined,
  };
  return withRelatives(touched, facts, catalogue);
}

function withRelatives(
  touched: TouchedTable,
  facts: TableFacts,
  catalogue: Catalogue,
): TouchedTable[] | undefined {
  const all = [touched];
  for (const id of facts.relatives) {
    const relative = catalogue.tableById(id);
    if (!relative) return undefined;
    all.push(asRelative(touched, facts, relative));
  }
  return all;
}

/** In the part of its own: `undefined` where no row was written. */
export function touchedBy(
  write: TableWrite,
  parameters: readonly unknown[],
  outcome: WriteOutcome,
  facts: TableFacts,
): TouchedTable | undefined {
  if (outcome.rowCount === 0) return undefined;
  if (write.action === 'rewrite') return rewritten(facts);
  const images = new WriteImages(write, parameters, outcome, facts);
  const dimensions = new Map<string, ReadonlySet<string> | 'unknown'>();
  let insertedUnknownKeys: string | undefined;
  for (const dimension of facts.dimensions) {
    const values = valuesIn([images.before(dimension), images.after(dimension)]);
    if (values === 'unknown' && write.action !== 'insert') {
      dimensions.set(dimension.name, outcome.noticed?.get(dimension.name) ?? 'unknown');
      continue;
    }
    const isKey = dimension.name === facts.primaryKey;
    if (isKey && write.action === 'insert' && values === 'unknown') {
      // Only answers that lack a row can change; those that have one depend on another key.
      insertedUnknownKeys = dimension.name;
      const others = valuesIn([images.before(dimension), images.insertedWhereKnown(dimension)]);
      dimensions.set(dimension.name, others);
    } else dimensions.set(dimension.name, values);
  }
  return { table: facts.id, dimensions, insertedUnknownKeys };
}

function rewritten(facts: TableFacts): TouchedTable {
  return {
    table: facts.id,
    dimensions: new Map(facts.dimensions.map(({ name }) => [name, 'unknown'])),
    insertedUnknownKeys: undefined,
  };
}

/**
 * The same rows as rows of another member of the family: they have the same values where the
 * member has the same columns.
 */
function asRelative(touched: TouchedTable, facts: TableFacts, relative: TableFacts): TouchedTable {
  const { insertedUnknownKeys } = touched;
  const isSame = ({ name, columns }: Dimension): boolean =>
    facts.dimensions.some((dimension) => dimension.name === name) &&
    columns.every(
      (column) => facts.columns.get(column)?.kind === relative.columns.get(column)?.kind,
    );
  const sharesKey = relative.primaryKey === facts.primaryKey;
  const dimensions = relative.dimensions.map((dimension) => {
    // Of rows inserted under unknown keys the values of the key are missing.
    const isKnown = isSame(dimension) && (dimension.name !== insertedUnknownKeys || sharesKey);
    const values = isKnown ? touched.dimensions.get(dimension.name) : undefined;
    return [dimension.name, values ?? 'unknown'] as const;
  });
  return {
    table: relative.id,
    dimensions: new Map(dimensions),
    insertedUnknownKeys: sharesKey ? insertedUnknownKeys : undefined,
  };
}

/** NULL is in no region. */
function valuesIn(parts: readonly Images[]): ReadonlySet<string> | 'unknown' {
  const values = new Set<string>();
  for (const images of parts) {
    if (!images) return 'unknown';
    for (const texts of images) {
      const value = valueOf(texts);
      if (value === undefined) return 'unknown';
      if (value !== null) values.add(value);
    }
  }
  return values;
}

/** The written rows as they were and as they are, one dimension at a time. */
class WriteImages {
  readonly #resultColumns: ReadonlyMap<string, string>;

  constructor(
    private readonly write: TableWrite,
    private readonly parameters: readonly unknown[],
    private readonly outcome: WriteOutcome,
    private readonly facts: TableFacts,
  ) {
    this.#resultColumns = new Map([...write.returning].map(([result, column]) => [column, result]));
  }

  before(dimension: Dimension): Images {
    switch (this.write.action) {
      case 'insert':
        return this.write.mayUpdateOthers ? this.#returnedUnchanged(dimension) : [];
      case 'update':
        return this.#returnedUnchanged(dimension) ?? this.#confined(dimension);
      case 'delete':
        return this.#returned(dimension) ?? this.#confined(dimension);
      case 'rewrite':
        return undefined;
    }
  }

  after(dimension: Dimension): Images {
    switch (this.write.action) {
      case 'insert':
        return this.#returned(dimension) ?? this.#inserted(dimension);
      case 'update':
        return this.#returned(dimension) ?? this.#assigned(dimension);
      case 'delete':
        return [];
      case 'rewrite':
        return undefined;
    }
  }

  /** The inserted rows whose values are known. */
  insertedWhereKnown(dimension: Dimension): Images {
    return this.#inserted(dimension)?.filter((texts) => valueOf(texts) !== undefined) ?? [];
  }

  /** The rows of RETURNING: new images, or old ones of a DELETE. */
  #returned(dimension: Dimension): Images {
    const { rows, rowCount } = this.outcome;
    if (rows.length !== rowCount) return undefined;
    if (!dimension.columns.every((column) => this.#resultColumns.has(column))) return undefined;
    return rows.map((row) => this.#textsOf(dimension, row));
  }

  /** The same, where the write left the columns as they were. */
  #returnedUnchanged(dimension: Dimension): Images {
    const isChanged = dimension.columns.some((column) => this.write.assignments.has(column));
    return isChanged ? undefined : this.#returned(dimension);
  }

  #textsOf(dimension: Dimension, row: Row): readonly ColumnText[] {
    const valueIn = (column: string): unknown => row[this.#resultColumns.get(column) ?? ''];
    return rowTexts(dimension, this.facts, valueIn);
  }

  #confined(dimension: Dimension): Images {
    const confinement = this.write.confinements.find(
      (candidate) => candidate.dimension.name === dimension.name,
    );
    return confinement && confinedTexts(confinement, this.facts, this.parameters);
  }

  /** The VALUES; a single row may have its missing columns from RETURNING. */
  #inserted(dimension: Dimension): Images {
    const { inserted } = this.write;
    const rowCount = Math.max(0, ...[...inserted.values()].map((terms) => terms.length));
    const isSingle = rowCount === 1 && this.outcome.rows.length === 1;
    const returned = isSingle ? this.outcome.rows[0] : undefined;
    if (rowCount === 0) return undefined;
    return Array.from({ length: rowCount }, (_, row) =>
      dimension.columns.map((column) => {
        const result = this.#resultColumns.get(column);
        if (returned && result !== undefined) {
          return columnText(this.facts, column, returned[result]);
        }
        const term = inserted.get(column)?.[row];
        return term && termText(this.facts, column, term, this.parameters);
      }),
    );
  }

  /** The old images with the assigned columns replaced. */
  #assigned(dimension: Dimension): Images {
    const { assignments } = this.write;
    const replaced = dimension.columns.map((column) => {
      if (!assignments.has(column)) return 'kept';
      const term = assignments.get(column);
      return { text: term && termText(this.facts, column, term, this.parameters) };
    });
    const isWhole = replaced.every((part) => part !== 'kept');
    const old = isWhole ? [dimension.columns.map(() => null)] : this.before(dimension);
    return old?.map((texts) =>
      replaced.map((part, position) => (part === 'kept' ? texts[position] : part.text)),
    );
  }
}
