/** A partitioned table with a foreign partition: PostgreSQL refuses writes to that one where triggers have transition tables. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Event } from '../matrix/fixtures/places.entities.js';
import { accounts, type AccountAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

let scene: Scene<AccountAnswer>;

beforeAll(async () => {
  const schema = `${accounts.schema};
    CREATE TABLE events (id int, region varchar(10), guests int NOT NULL DEFAULT 0) PARTITION BY LIST (region);
    CREATE TABLE events_us PARTITION OF events FOR VALUES IN ('US');
    CREATE TABLE far (id int, region varchar(10), guests int);
    CREATE EXTENSION postgres_fdw;
    DO $$ BEGIN
      EXECUTE format('CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname %L, host %L, port %L)',
        current_database(), host(inet_server_addr()), inet_server_port());
      EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user %L, password_required %L)',
        current_user, 'false');
    END $$;
    CREATE FOREIGN TABLE events_far PARTITION OF events FOR VALUES IN ('EU')
      SERVER itself OPTIONS (table_name 'far')`;
  scene = await Scene.open({ ...accounts, entities: [...accounts.entities, Event], schema });
});
afterAll(() => scene.close());

it('a table with a foreign partition is written as without the cache', async () => {
  const { source } = scene.app;
  await source.query(`INSERT INTO events VALUES (1, 'US'), (2, 'EU')`);
  await source.query('UPDATE events SET guests = 3');
  const rows: unknown = await source.query('SELECT id, guests FROM events ORDER BY id');
  expect(rows).toEqual([
    { id: 1, guests: 3 },
    { id: 2, guests: 3 },
  ]);
  expect(scene.health).toEqual({ status: 'up' });
});
