/**
 * The regions of a write that could not be published, where its writer has found out by itself that its catalog is
 * current (typeorm/statements/publishing.ts). They are part of the row of the outbox. Other clients of the database can
 * write rows: what cannot be read counts as absent.
 */
import type { Catalog } from '../../core/table-facts.js';
import type { WrittenTable } from '../../core/write-set.js';

/** The values of each dimension; `null` or absent: any values. */
type Regions = Readonly<Record<string, readonly string[] | null>>;

/** By table. */
export interface UnderstoodWrite {
  readonly tables: Readonly<Record<string, Regions>>;
}

export function understoodWrite(written: Iterable<WrittenTable>): UnderstoodWrite {
  const tables: Record<string, Regions> = {};
  for (const { table, dimensions } of written) {
    const regions = [...dimensions].map(([dimension, values]) => [
      dimension,
      values === 'unknown' ? null : [...values],
    ]);
    tables[table] = Object.fromEntries(regions) as Regions;
  }
  return { tables };
}

/** The part of the write in some of its tables. */
export function within(
  { tables }: UnderstoodWrite,
  isPart: (table: string) => boolean,
): UnderstoodWrite {
  const part = Object.entries(tables).filter(([table]) => isPart(table));
  return { tables: Object.fromEntries(part) };
}

export function parseUnderstood(given: unknown): UnderstoodWrite | undefined {
  const tables = isObject(given) ? given['tables'] : undefined;
  if (!isObject(tables)) return undefined;
  const isReadable = Object.values(tables).every(
    (regions) => isObject(regions) && Object.values(regions).every(isValues),
  );
  return isReadable ? ({ tables } as UnderstoodWrite) : undefined;
}

/** The tables under the current catalog; `all-tables` for one that it does not know. */
export function understoodTables(
  { tables }: UnderstoodWrite,
  catalog: Catalog,
): readonly (WrittenTable | 'all-tables')[] {
  return Object.entries(tables).map(([table, regions]) => {
    const facts = catalog.tableById(table);
    if (!facts) return 'all-tables';
    const dimensions = facts.dimensions.map(({ name }) => {
      const values = Object.hasOwn(regions, name) ? regions[name] : null;
      return [name, values ? new Set(values) : 'unknown'] as const;
    });
    return { table, dimensions: new Map(dimensions) };
  });
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function isValues(given: unknown): boolean {
  if (given === null) return true;
  return Array.isArray(given) && given.every((value: unknown) => typeof value === 'string');
}
