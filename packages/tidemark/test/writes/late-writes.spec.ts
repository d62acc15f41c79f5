/** Real: PostgreSQL. A write that runs after the COMMIT of its transaction is published without a mark, late. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { QueryRunner } from 'typeorm';
import { CacheTriggers, defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedApplication } from '../support/cached-application.js';
import { Customer } from '../fixtures/entities.js';

/** A table without triggers, which a foreign key reaches. */
const REACHED = `CREATE TABLE notes (
  id integer PRIMARY KEY, customer integer REFERENCES customers ON DELETE CASCADE)`;
const DELETE = 'DELETE FROM customers WHERE id = 1';

const rowsOf = (table: string): BoundQuery =>
  defineQuery({
    name: table,
    shape: 'raw',
    build: (source, _: Record<string, never>) =>
      source.createQueryBuilder().select('t.id', 'id').from(table, 't'),
  }).bind({});
const answers = [rowsOf('customers'), rowsOf('notes')];

let app: CachedApplication;
let runner: QueryRunner;

beforeAll(async () => {
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer],
    synchronize: true,
  });
  await app.source.query(REACHED);
  await new CacheTriggers(app.source, 'tidemark').install();
});
afterAll(() => app.stop());
beforeEach(async () => {
  runner = app.source.createQueryRunner();
  await app.source.getRepository(Customer).insert({ id: 1, name: 'ann', region: 'US' });
  await app.source.query('INSERT INTO notes VALUES (1, 1)');
  for (const answer of answers) await warm(answer);
});
afterEach(() => runner.release());

async function warm(answer: BoundQuery): Promise<void> {
  await eventually(async () => {
    expect((await app.observe(() => app.cache.run(answer))).outcomes).toEqual(['hit']);
  });
}

/** Another user of the connection sends COMMIT right before the statement, past the hooks. */
async function commitBefore(statement: string): Promise<void> {
  const client = (await runner.connect()) as { query(...sent: unknown[]): Promise<unknown> };
  const query = client.query.bind(client);
  client.query = (...sent) => {
    if (sent[0] === statement) {
      client.query = query;
      void query('COMMIT');
    }
    return query(...sent);
  };
}

describe('a write behind the COMMIT of its transaction ends the answers of tables reached by its cascade', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['in an implicit transaction', () => runner.query(DELETE)],
    [
      'in a transaction of the application',
      async () => {
        await runner.query('BEGIN');
        await runner.query(DELETE);
      },
    ],
  ])('%s', async (_where, write) => {
    await commitBefore(DELETE);
    await write();
    for (const answer of answers) {
      await eventually(async () => expect(await app.cache.run(answer)).toEqual([]));
    }
  });
});
