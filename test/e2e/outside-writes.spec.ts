/** Writes of other clients to the service's tables, as REST clients see them, without any set-up of the writers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { eventually } from '../support/eventually.js';
import { representatives } from '../support/long-tests.js';
import { modes } from './support/modes.js';
import type { RestService } from './support/rest-service.js';
import { useRestService } from './support/service-tests.js';

describe.each(representatives(modes, 1))('writes past the service, cache $name', (mode) => {
  let service: RestService;
  let client: pg.Client;

  useRestService(mode, (started) => {
    service = started;
  });

  beforeAll(async () => {
    const { url } = service.source.options as { url?: string };
    client = new pg.Client({ connectionString: url });
    await client.connect();
    await eventually(async () => {
      const { body } = await service.get('/health/ready');
      if (!body.toString().includes('"relay":"relaying"'))
        throw new Error('No instance relays yet.');
    });
  });
  afterAll(() => client.end());

  it('are shown as soon as they have been relayed, and leave other answers alone', async () => {
    const [ada, eli] = await service.insert(
      { username: 'ada', region: 'US' },
      { username: 'eli', region: 'EU' },
    );
    const paths = ['/users?region=US', '/users?region=EU', `/users/${ada}`, `/users/${eli}`];
    for (const path of paths) await service.warm(path);
    await client.query(`UPDATE users SET username = 'lovelace' WHERE id = $1`, [ada]);
    await eventually(async () => {
      const { json } = await service.get(`/users/${ada}`);
      expect(json).toMatchObject({ username: 'lovelace' });
    });
    expect((await service.get('/users?region=US')).json).toEqual([
      { id: ada, username: 'lovelace' },
    ]);
    for (const path of ['/users?region=EU', `/users/${eli}`]) {
      const { headers } = await service.get(path);
      expect(headers['cache-status']).toMatch(/^tidemark; hit/);
    }
  });

  it('are shown after another client has disabled the triggers and enabled them again', async () => {
    const [ida] = await service.insert({ username: 'ida', region: 'US' });
    await service.warm(`/users/${ida}`);
    await client.query('ALTER TABLE users DISABLE TRIGGER ALL');
    await client.query(`UPDATE users SET username = 'rhodes' WHERE id = $1`, [ida]);
    await client.query('ALTER TABLE users ENABLE TRIGGER ALL');
    await eventually(async () => {
      const { json } = await service.get(`/users/${ida}`);
      expect(json).toMatchObject({ username: 'rhodes' });
    });
    await eventually(async () => {
      const { body } = await service.get('/metrics');
      expect(body.toString()).toMatch(/^tidemark_outbox_recording_changes_total [1-9]/m);
      expect(body.toString()).toMatch(/^tidemark_outbox_usable 1$/m);
      expect(body.toString()).toMatch(/^tidemark_outbox_lock_stuck 0$/m);
    });
  });

  it('are counted in health and metrics', async () => {
    await client.query(
      `INSERT INTO users (username, region, email) VALUES ('dai', 'EU', 'd@e.fg')`,
    );
    await eventually(async () => {
      const { body } = await service.get('/metrics');
      expect(body.toString()).toMatch(/^tidemark_outbox_relayed_rows_total [1-9]/m);
    });
    expect((await service.get('/health/ready')).json).toMatchObject({
      details: { 'outside-writes': { status: 'up', relay: 'relaying' } },
    });
  });
});
