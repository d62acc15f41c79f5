/** The PostgreSQL server that all spec files of a run share; it is never stopped or paused. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

/**
 * Creates an empty database for a spec file and answers its URL (superuser).
 *
 * @param encoding the one of the server unless said otherwise.
 */
export async function createDatabase(encoding?: 'EUC_JP' | 'LATIN1'): Promise<string> {
  const admin = process.env['TIDEMARK_TEST_POSTGRES_URL'];
  if (admin === undefined) throw new Error('No shared PostgreSQL: run this spec through jest');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try {
    const other = encoding ? `ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0` : '';
    // Takes half of the time that the server's own choice takes, which writes every page to the WAL.
    const text = `CREATE DATABASE ${pg.escapeIdentifier(name)} STRATEGY file_copy ${other}`;
    await client.query(text);
  } finally {
    await client.end();
  }
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}
