/**
 * What the triggers say (capture-sql.ts): in rows of the outbox, and in notices to a session that announces its
 * statements itself.
 *
 * Both come from the database, where others can write: a malformed one counts as a change of any row, and nothing it
 * holds becomes part of a statement.
 */
import { z } from 'zod';
import { mergeTouched } from '../../query-cache/core/touched-regions.js';
import {
  tablesOfRows,
  type Catalogue,
  type DatabaseSchema,
  type TouchedTable,
} from '../../query-cache/index.js';
import type { TouchedVersions } from '../core/write-protocol.js';
import { versionNames } from '../touched-tables.js';
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

const values = z.record(z.string(), z.array(z.array(z.string().nullable())).nullable());
const hintOfNotice = z.object({ isRecorded: z.boolean().optional(), regions: z.unknown() });
const row = z.object({
  id: z.string(),
  table_name: z.string(),
  regions: z.unknown(),
  age_ms: z.coerce.number(),
});

/** @throws ZodError where the row is not one of an outbox at all. */
export function parseRecord(given: unknown): OutboxRecord {
  const { id, table_name: table, regions, age_ms: ageMs } = row.parse(given);
  return { id, table, regions: parseRegions(regions), ageMs };
}

/** `undefined` for a notice of somebody else. */
export function parseNotice(
  { code, message, detail, hint = '' }: Notice,
  namespace: string,
): TriggerNotice | undefined {
  if (code !== NOTICE_CODE || message !== namespace || detail === undefined) return undefined;
  const { isRecorded, regions } = hintOfNotice.safeParse(jsonOf(hint)).data ?? {};
  return { table: detail, regions: parseRegions(regions), isRecorded };
}

/** The table that changed and its relatives. `anything` where the catalogue does not know it: it may belong to others. */
export function noticedWrites(
  { table, regions }: CapturedWrite,
  catalogue: Catalogue,
): readonly (TouchedTable | 'anything')[] {
  const facts = catalogue.tableById(table);
  return (facts && tablesOfRows(facts, regions, catalogue)) ?? ['anything'];
}

/** What a relay has to announce for rows of the outbox, under the present catalog. */
export async function touchedByRecords(
  records: readonly OutboxRecord[],
  schema: DatabaseSchema,
): Promise<TouchedVersions> {
  // The writer of such a row did not know what had been done.
  if (records.some(({ table }) => table === EVERY_TABLE)) {
    schema.markOutdated();
    return 'schema';
  }
  if (schema.isOutdated) await schema.load();
  const touched = new Map<string, TouchedTable>();
  for (const part of records.flatMap((record) => noticedWrites(record, schema.catalogue))) {
    if (part === 'anything') return 'anything';
    const before = touched.get(part.table);
    touched.set(part.table, before ? mergeTouched(before, part) : part);
  }
  return (await schema.isPresent()) ? versionNames(touched) : 'anything';
}

function parseRegions(given: unknown): CapturedWrite['regions'] {
  const { data } = values.safeParse(given);
  return new Map(Object.entries(data ?? {}));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
