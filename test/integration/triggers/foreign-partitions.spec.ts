/** A partitioned table with a foreign partition: PostgreSQL would refuse writes to it, had it triggers that see the rows. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Event } from '../matrix/fixtures/places.entities.js';
import { accounts, type AccountAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

let scene: Scene<AccountAnswer>;

beforeAll(async () => {
  const schema = `${accounts.schema};
    CREATE TABLE events (id int, region varchar(10), guests int NOT NULL DEFAULT 0) PARTITION BY LIST (region);
    CREATE TABLE events_us PARTITION OF events FOR VALUES IN ('US');
    CREATE FOREIGN DATA WRAPPER nothing;
    CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
    CREATE FOREIGN TABLE events_far PARTITION OF events FOR VALUES IN ('EU') SERVER nowhere`;
  scene = await Scene.open({ ...accounts, entities: [...accounts.entities, Event], schema });
});
afterAll(() => scene.close());

it('is written as without the cache', async () => {
  await scene.app.source.query(`INSERT INTO events VALUES (1, 'US')`);
  const rows: unknown = await scene.app.source.query('SELECT id FROM events_us');
  expect(rows).toEqual([{ id: 1 }]);
  expect(scene.health).toEqual({ status: 'up' });
});
