/** The PostgreSQL server that all spec files of a run share; it is never stopped or paused. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

interface DatabaseOptions {
  /** Default: the encoding of the server. */
  readonly encoding?: 'EUC_JP' | 'LATIN1';
  /** URL of the database to copy, without connections to it; absent: an empty one. */
  readonly model?: string;
}

/** Creates a database for a spec file and returns its URL (superuser). */
export async function createDatabase({ encoding, model }: DatabaseOptions = {}): Promise<string> {
  const admin = process.env['TIDEMARK_TEST_POSTGRES_URL'];
  if (admin === undefined) throw new Error('No shared PostgreSQL: run this spec through vitest');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try {
    const other = encoding ? `ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0` : '';
    const copied = model ? `TEMPLATE ${pg.escapeIdentifier(new URL(model).pathname.slice(1))}` : '';
    // Takes half of the time that the server's own choice takes, which writes every page to the WAL.
    await client.query(
      `CREATE DATABASE ${pg.escapeIdentifier(name)} STRATEGY file_copy ${other} ${copied}`,
    );
  } finally {
    await client.end();
  }
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * For databases that all begin alike: the function answers the URL of another copy each time.
 *
 * @param prepare fills the database that is copied, once, and closes its connections.
 */
export function copiesOf(prepare: (url: string) => Promise<unknown>): () => Promise<string> {
  let model: Promise<string> | undefined;
  const prepared = async (): Promise<string> => {
    const url = await createDatabase();
    await prepare(url);
    return url;
  };
  return async () => createDatabase({ model: await (model ??= prepared()) });
}
