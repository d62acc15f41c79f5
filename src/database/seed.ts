import type { DataSource } from 'typeorm';

/** Called after each batch with the number of inserted users and the total. */
export type SeedProgress = (done: number, total: number) => void;

const BATCH_USERS = 5_000;

/**
 * Inserts the users 0 to `total - 1`. Existing users stay unchanged.
 * @returns the number of added users.
 */
export async function seedUsers(
  source: DataSource,
  total: number,
  progress: SeedProgress = () => undefined,
): Promise<number> {
  let added = 0;
  for (let first = 0; first < total; first += BATCH_USERS) {
    const last = Math.min(first + BATCH_USERS, total) - 1;
    const rows = await source.query<unknown[]>(
      `INSERT INTO "users" ("username", "region", "email")
       SELECT 'user' || i, CASE WHEN i % 3 <> 0 THEN 'US' ELSE 'EU' END, 'u' || i || '@ex.com'
       FROM generate_series($1::int, $2::int) AS i
       ORDER BY i
       ON CONFLICT ("username") DO NOTHING
       RETURNING 1`,
      [first, last],
    );
    added += rows.length;
    progress(last + 1, total);
  }
  return added;
}

export async function hasUsers(source: DataSource): Promise<boolean> {
  const rows = await source.query<unknown[]>('SELECT 1 FROM "users" LIMIT 1');
  return rows.length > 0;
}
