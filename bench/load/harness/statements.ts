import pg from 'pg';

export interface StatementCount {
  /** Statements of all kinds, those of transactions and settings included. */
  readonly all: number;
  /** SELECTs from the table of users. */
  readonly reads: number;
}

const COUNT = `
  SELECT coalesce(sum(calls), 0)::float8 AS "all",
         coalesce(sum(calls) FILTER (
           WHERE query ~* '^\\s*select\\y' AND query LIKE '%FROM "users"%'), 0)::float8 AS reads
  FROM pg_stat_statements
  WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1)`;

/**
 * Counts what the server has executed, database by database, with pg_stat_statements: it is exact at
 * once, where the counters of transactions lag a second behind.
 */
export class Statements {
  private constructor(private readonly client: pg.Client) {}

  static async watch(serverUrl: string): Promise<Statements> {
    const client = new pg.Client({ connectionString: serverUrl });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    return new Statements(client);
  }

  async of(database: string): Promise<StatementCount> {
    const { rows } = await this.client.query<StatementCount>(COUNT, [database]);
    return rows[0] ?? { all: 0, reads: 0 };
  }

  stop(): Promise<void> {
    return this.client.end();
  }
}
