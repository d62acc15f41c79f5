/**
 * What a row of the outbox says. It comes from the database, where others can write: what is not as it
 * should be says that anything may have changed, and nothing it holds becomes part of a statement.
 */
import { z } from 'zod';

/** By dimension: one list of texts for each value, in the order of its columns; absent: any. */
export type Regions = ReadonlyMap<string, readonly (readonly (string | null)[])[] | null>;

export interface OutboxRecord {
  readonly id: string;
  /** `schema.name`, or `*`. */
  readonly table: string;
  readonly regions: Regions;
  /** Since it was recorded, by the database's clock, in milliseconds. */
  readonly ageMs: number;
}

const regions = z.record(z.string(), z.array(z.array(z.string().nullable())).nullable()).nullable();
const row = z.object({
  id: z.string(),
  table_name: z.string(),
  regions: z.unknown(),
  age_ms: z.coerce.number(),
});

/** @throws ZodError where the row is not one of an outbox at all. */
export function parseRecord(given: unknown): OutboxRecord {
  const parsed = row.parse(given);
  return {
    id: parsed.id,
    table: parsed.table_name,
    regions: parseRegions(parsed.regions),
    ageMs: parsed.age_ms,
  };
}

/** What is not as it should be says nothing of the values, which may then be any. */
export function parseRegions(given: unknown): Regions {
  const known = regions.safeParse(given);
  return new Map(known.success && known.data ? Object.entries(known.data) : []);
}
