/** Real: PostgreSQL. A service whose role sees only the rows that policies let it see. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import pg from 'pg';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedReads } from './cached-reads.js';

const ROLE = 'tidemark_policies_service';

let owner: pg.Client;
let reads: CachedReads;

beforeAll(async () => {
  const url = new URL(await createDatabase());
  owner = new pg.Client({ connectionString: url.href });
  await owner.connect();
  await owner.query(`
    DROP ROLE IF EXISTS ${ROLE};
    CREATE ROLE ${ROLE} LOGIN PASSWORD 'service';
    CREATE TABLE notes (id integer PRIMARY KEY, author text, body text);
    CREATE TABLE shared (note integer PRIMARY KEY);
    CREATE TABLE unrelated (id integer PRIMARY KEY);
    INSERT INTO notes VALUES (1, '${ROLE}', 'mine'), (2, 'somebody', 'theirs');
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY seen ON notes
      USING (author = current_user OR id IN (SELECT note FROM shared));
    GRANT ALL ON notes, shared, unrelated TO ${ROLE};`);
  url.username = ROLE;
  url.password = 'service';
  reads = await CachedReads.over(url.href);
});

afterAll(async () => {
  await reads.stop();
  await owner.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  await owner.end();
});

const bodies = (): BoundQuery =>
  defineQuery({
    name: 'notes.bodies',
    shape: 'raw',
    build: (source, _: Record<string, never>) =>
      source.createQueryBuilder().select('n.body', 'body').from('notes', 'n').orderBy('n.id'),
  }).bind({});

it('caches the rows that the role sees, until a write to the tables that its policies read', async () => {
  expect(await reads.warm(bodies)).toEqual([{ body: 'mine' }]);
  await reads.write('INSERT INTO unrelated VALUES (1)');
  await reads.expectHit(bodies, [{ body: 'mine' }]);
  await reads.write('INSERT INTO shared VALUES (2)');
  await reads.expectAnew(bodies, [{ body: 'mine' }, { body: 'theirs' }]);
  await reads.warm(bodies);
  await reads.write("UPDATE notes SET body = 'ours' WHERE id = 1");
  await reads.expectAnew(bodies, [{ body: 'ours' }, { body: 'theirs' }]);
});
