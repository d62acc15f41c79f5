/**
 * Parses the reports of the triggers (capture-sql.ts): rows of the outbox, and notices to a session that publishes its
 * statements itself.
 *
 * Both come from the database, where other clients can write: a malformed report counts as a change of any row, and
 * none of its content becomes part of a statement.
 */
import { versionNames, mergeWritten, type WrittenTable } from '../../core/write-set.js';
import { columnText, dimensionValue } from '../analysis/canonical-value.js';
import type { Catalog, Dimension, TableFacts } from '../../core/table-facts.js';
import { schemaTables } from '../../core/schema-version.js';
import { WHOLE_TABLE } from '../../core/versions.js';
import type { TableVersionNames } from '../../core/ports/version-store.js';
import type { CaptureParts, CatalogSource } from './capture-parts.js';
import type { WrittenVersions } from '../../core/write-protocol.js';
import { EVERY_TABLE, NOTICE_CODE } from './outbox-objects.js';

/** A notice as node-postgres passes it. */
export type Notice = Partial<Record<'code' | 'message' | 'detail' | 'hint', string | undefined>>;

/** The texts of a dimension's columns, one list for each value in the old and new rows. */
type Images = readonly (readonly (string | null)[])[];

interface CapturedWrite {
  /** `schema.name`, or `*`. */
  readonly table: string;
  /** By dimension; `null` or absent: any values. */
  readonly regions: ReadonlyMap<string, Images | null>;
}

export interface TriggerNotice extends CapturedWrite {
  /**
   * Whether an outbox row reports the change too, because a user's trigger sent the statement; `undefined`: unknown.
   */
  readonly isRecorded: boolean | undefined;
}

export interface OutboxRecord extends CapturedWrite {
  readonly id: string;
  /** Time since it was recorded, by the database's clock, in milliseconds. */
  readonly ageMs: number;
}

/** @throws TypeError if the row does not come from an outbox. */
export function parseRecord(given: Readonly<Record<string, unknown>>): OutboxRecord {
  const { id, table_name: table, regions, age_ms: age } = given;
  const ageMs = Number(age);
  if (typeof id !== 'string' || typeof table !== 'string' || Number.isNaN(ageMs)) {
    throw new TypeError('The outbox has other columns than Tidemark gives it: install it again');
  }
  return { id, table, regions: parseRegions(regions), ageMs };
}

/** `undefined` for a notice of another source. */
export function parseNotice(
  { code, message, detail, hint = '' }: Notice,
  namespace: string,
): TriggerNotice | undefined {
  if (code !== NOTICE_CODE || message !== namespace || detail === undefined) return undefined;
  const { isRecorded, regions } = fieldsOf(hint);
  // A malformed hint reports nothing, neither regions nor an outbox row.
  return typeof isRecorded === 'boolean' || isRecorded === undefined
    ? { table: detail, regions: parseRegions(regions), isRecorded }
    : { table: detail, regions: new Map(), isRecorded: undefined };
}

/**
 * All tables that contain the changed rows: the table, its partitions, parents and children; `all-tables` if the catalog
 * does not know one of them.
 */
export function writtenTables(
  { table, regions }: CapturedWrite,
  catalog: Catalog,
): readonly (WrittenTable | 'all-tables')[] {
  const facts = catalog.tableById(table);
  if (!facts) return ['all-tables'];
  const own = new Map(
    facts.dimensions.map((dimension) => [
      dimension.name,
      valuesIn(dimension, facts, regions.get(dimension.name)),
    ]),
  );
  const all: WrittenTable[] = [{ table, dimensions: own }];
  for (const id of facts.relatives) {
    const relative = catalog.tableById(id);
    if (!relative) return ['all-tables'];
    // The same rows have the same values in a relative that has the same columns.
    const dimensions = relative.dimensions.map(({ name, columns }) => {
      const isSame = columns.every(
        (column) => facts.columns.get(column)?.kind === relative.columns.get(column)?.kind,
      );
      return [name, (isSame ? own.get(name) : undefined) ?? 'unknown'] as const;
    });
    all.push({ table: id, dimensions: new Map(dimensions) });
  }
  return all;
}

/**
 * The versions that a relay must publish for rows of the outbox, under the current catalog. A row may stand for every
 * table, or for all tables of one bucket: its writer did not know the effects of its statements.
 */
export async function writtenByRecords(
  records: readonly OutboxRecord[],
  { schema, store }: Pick<CaptureParts, 'schema' | 'store'>,
): Promise<WrittenVersions> {
  if (records.some(({ table }) => table === EVERY_TABLE)) {
    schema.markOutdated();
    return 'schema';
  }
  const buckets = schemaTables(store).filter((bucket) =>
    records.some(({ table }) => table === bucket),
  );
  const others = records.filter(({ table }) => !buckets.includes(table));
  const written = await writtenByTriggers(others, schema);
  if (buckets.length === 0) return written;
  if (written === 'all-tables') return 'schema';
  return [...buckets.map((table) => ({ table, names: [WHOLE_TABLE] })), ...written];
}

async function writtenByTriggers(
  records: readonly OutboxRecord[],
  schema: CatalogSource,
): Promise<'all-tables' | readonly TableVersionNames[]> {
  if (records.length === 0) return [];
  if (schema.isOutdated) await schema.load();
  const written = new Map<string, WrittenTable>();
  for (const part of records.flatMap((record) => writtenTables(record, schema.catalog))) {
    if (part === 'all-tables') return 'all-tables';
    const before = written.get(part.table);
    written.set(part.table, before ? mergeWritten(before, part) : part);
  }
  return (await schema.isCurrent()) ? versionNames(written) : 'all-tables';
}

function valuesIn(
  { columns }: Dimension,
  facts: TableFacts,
  images: Images | null | undefined,
): ReadonlySet<string> | 'unknown' {
  if (!images) return 'unknown';
  const values = new Set<string>();
  for (const image of images) {
    if (image.length !== columns.length) return 'unknown';
    // NULL belongs to no region.
    if (image.includes(null)) continue;
    const texts = columns.map((column, position) => columnText(facts, column, image[position]));
    const known = texts.filter((text) => typeof text === 'string');
    if (known.length !== columns.length) return 'unknown';
    values.add(dimensionValue(known));
  }
  return values;
}

function parseRegions(given: unknown): CapturedWrite['regions'] {
  return new Map(isRegions(given) ? Object.entries(given) : []);
}

function isRegions(given: unknown): given is Record<string, (string | null)[][] | null> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  return Object.values(given).every((values) => values === null || isLists(values));
}

function isLists(given: unknown): boolean {
  return Array.isArray(given) && given.every((list) => Array.isArray(list) && list.every(isText));
}

function isText(given: unknown): boolean {
  return given === null || typeof given === 'string';
}

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
