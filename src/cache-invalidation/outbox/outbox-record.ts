/**
 * What a row of the outbox says. It comes from the database, where others can write: what is not as it
 * should be says that anything may have changed, and nothing it holds becomes part of a statement.
 */
import { z } from 'zod';

export interface OutboxRecord {
  readonly id: string;
  /** `schema.name`, or `*`. */
  readonly table: string;
  /** By dimension: one list of texts for each value, in the order of its columns; absent: any. */
  readonly regions: ReadonlyMap<string, readonly (readonly (string | null)[])[] | null>;
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
  const known = regions.safeParse(parsed.regions);
  return {
    id: parsed.id,
    table: parsed.table_name,
    regions: new Map(known.success && known.data ? Object.entries(known.data) : []),
    ageMs: parsed.age_ms,
  };
}
