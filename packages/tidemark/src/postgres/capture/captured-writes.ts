/**
 * What the triggers say (capture-sql.ts): in rows of the outbox, and in notices to a session that publishes its
 * statements itself.
 *
 * Both come from the database, where others can write: a malformed one counts as a change of any row, and nothing it
 * holds becomes part of a statement.
 */
import { versionNames, mergeWritten, type WrittenTable } from '../../core/write-set.js';
import { tablesOfRows } from '../analysis/written-regions.js';
import type { Catalog } from '../../core/table-facts.js';
import type { CatalogSource } from './capture-parts.js';
import type { WrittenVersions } from '../../core/write-protocol.js';
import { EVERY_TABLE, NOTICE_CODE } from './outbox-objects.js';

/** A notice as node-postgres gives it. */
export type Notice = Partial<Record<'code' | 'message' | 'detail' | 'hint', string | undefined>>;

interface CapturedWrite {
  /** `schema.name`, or `*`. */
  readonly table: string;
  /** By dimension: one list of texts for each value, in the order of its columns; absent: any. */
  readonly regions: ReadonlyMap<string, readonly (readonly (string | null)[])[] | null>;
}

export interface TriggerNotice extends CapturedWrite {
  /** Whether a row of the outbox says so too, since a trigger of a user has sent the statement; `undefined`: not known. */
  readonly isRecorded: boolean | undefined;
}

export interface OutboxRecord extends CapturedWrite {
  readonly id: string;
  /** Since it was recorded, by the database's clock, in milliseconds. */
  readonly ageMs: number;
}

/** @throws TypeError where the row is not one of an outbox at all. */
export function parseRecord(given: Readonly<Record<string, unknown>>): OutboxRecord {
  const { id, table_name: table, regions, age_ms: age } = given;
  const ageMs = Number(age);
  if (typeof id !== 'string' || typeof table !== 'string' || Number.isNaN(ageMs)) {
    throw new TypeError('The outbox has other columns than Tidemark gives it: install it again');
  }
  return { id, table, regions: parseRegions(regions), ageMs };
}

/** `undefined` for a notice of somebody else. */
export function parseNotice(
  { code, message, detail, hint = '' }: Notice,
  namespace: string,
): TriggerNotice | undefined {
  if (code !== NOTICE_CODE || message !== namespace || detail === undefined) return undefined;
  const { isRecorded, regions } = fieldsOf(hint);
  // A hint of another form says nothing: neither of the regions nor of the outbox.
  return typeof isRecorded === 'boolean' || isRecorded === undefined
    ? { table: detail, regions: parseRegions(regions), isRecorded }
    : { table: detail, regions: new Map(), isRecorded: undefined };
}

/** The table that changed and its relatives. `anything` where the catalog does not know it: it may belong to others. */
export function noticedWrites(
  { table, regions }: CapturedWrite,
  catalog: Catalog,
): readonly (WrittenTable | 'all-tables')[] {
  const facts = catalog.tableById(table);
  return (facts && tablesOfRows(facts, regions, catalog)) ?? ['all-tables'];
}

/** What a relay has to publish for rows of the outbox, under the present catalog. */
export async function writtenByRecords(
  records: readonly OutboxRecord[],
  schema: CatalogSource,
): Promise<WrittenVersions> {
  // The writer of such a row did not know what had been done.
  if (records.some(({ table }) => table === EVERY_TABLE)) {
    schema.markOutdated();
    return 'schema';
  }
  if (schema.isOutdated) await schema.load();
  const written = new Map<string, WrittenTable>();
  for (const part of records.flatMap((record) => noticedWrites(record, schema.catalog))) {
    if (part === 'all-tables') return 'all-tables';
    const before = written.get(part.table);
    written.set(part.table, before ? mergeWritten(before, part) : part);
  }
  return (await schema.isCurrent()) ? versionNames(written) : 'all-tables';
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
