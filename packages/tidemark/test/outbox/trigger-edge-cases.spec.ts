/** Writes of the service that another client commits, or that precede the first relay. */
import { afterEach, expect, it } from 'vitest';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { CacheTriggers, CacheTriggersError, OutboxRelay, defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { PostgresServer } from '../../../../test/support/postgres-server.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const bystanders = defineQuery({
  name: 'bystanders',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b').select('b.id', 'id').orderBy('b.id'),
}).bind({});

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  closing.push(() => client.end());
  return client;
}

/** A separate role in a separate database. */
async function roleIn(
  databaseUrl: string,
  options: string,
): Promise<{ owner: pg.Client; url: string }> {
  const owner = await connect(databaseUrl);
  const url = new URL(databaseUrl);
  url.username = `role_${url.pathname.slice(1)}`;
  url.password = 'x';
  await owner.query(`CREATE ROLE ${url.username} LOGIN PASSWORD 'x' ${options}`);
  await owner.query(`GRANT CREATE ON DATABASE ${url.pathname.slice(1)} TO ${url.username}`);
  closing.push(() => owner.query(`DROP OWNED BY ${url.username}; DROP ROLE ${url.username}`));
  return { owner, url: url.href };
}

it('PREPARE TRANSACTION of the service is refused, since another client may commit it', async () => {
  const server = await PostgresServer.start({ config: { max_prepared_transactions: '5' } });
  closing.push(() => server.stop());
  const app = await CachedApplication.start({
    databaseUrl: await server.createDatabase(),
    entities: [Bystander],
    synchronize: true,
  });
  closing.push(() => app.stop());
  const runner = app.source.createQueryRunner();
  try {
    await runner.query('BEGIN');
    await runner.query('INSERT INTO bystanders VALUES (1)');
    for (const sql of [
      `PREPARE TRANSACTION 'later'`,
      `prepare /* it */ transaction 'later'`,
      `PREPARE /* it /* all */ */ TRANSACTION 'later'`,
      `PREPARE -- it\rTRANSACTION 'later'`,
    ]) {
      await expect(runner.query(sql)).rejects.toThrow('Use COMMIT');
    }
    await runner.query('COMMIT');
    expect(await app.cache.run(bystanders)).toEqual([{ id: 1 }]);
  } finally {
    await runner.release();
  }
});

it('a write of an instance whose relay has never connected is put into the outbox', async () => {
  const redis = await RedisServer.start();
  closing.push(() => redis.stop());
  const { owner, url } = await roleIn(await createDatabase(), 'CONNECTION LIMIT 1');
  await owner.query(`
    CREATE TABLE bystanders (id int PRIMARY KEY);
    CREATE FUNCTION echoes() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO public.bystanders VALUES (NEW.id + 1000); RETURN NULL; END $$;
    CREATE TRIGGER echoes AFTER INSERT ON bystanders FOR EACH ROW WHEN (NEW.id < 1000)
      EXECUTE FUNCTION echoes();
    ALTER TABLE bystanders OWNER TO ${new URL(url).username}`);
  const app = await CachedApplication.start({
    databaseUrl: url,
    entities: [Bystander],
    poolSize: 1,
    cache: { redis: { url: redis.url } },
  });
  closing.push(() => app.stop());
  await new CacheTriggers(app.source, 'tidemark').install();
  await owner.query('DELETE FROM tidemark_tidemark.outbox');
  await redis.kill();
  await app.source.query('INSERT INTO bystanders VALUES (1)');
  expect(app.get(OutboxRelay).state).toBe('away');
  const { rows } = await owner.query('SELECT table_name FROM tidemark_tidemark.outbox');
  expect(rows).toEqual([{ table_name: 'public.bystanders' }, { table_name: '*' }]);
});

it('a role that may not install the triggers gets the error over a pool of one connection', async () => {
  const { owner, url } = await roleIn(await createDatabase(), '');
  await owner.query('CREATE TABLE bystanders (id int PRIMARY KEY)');
  const source = new DataSource({ type: 'postgres', url, entities: [Bystander], poolSize: 1 });
  await source.initialize();
  closing.push(() => source.destroy());
  await expect(new CacheTriggers(source, 'other').install()).rejects.toThrow(CacheTriggersError);
});
