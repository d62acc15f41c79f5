/**
 * Real: PostgreSQL, with a standby that has received every commit and shows none of them before it is promoted.
 * The application reaches both under one address.
 */
import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OutboxRelay, CacheHealth, defineQuery } from '../../src/index.js';
import { ReadCore } from '../../src/nestjs/read-core.js';
import { CatalogCache } from '../../src/typeorm/database/catalog-cache.js';
import { VersionStore } from '../../src/core/ports/version-store.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { PostgresServer } from '../../../../test/support/postgres-server.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { Customer } from '../fixtures/entities.js';

const TABLE = 'public.customers';
/** No process id of a backend. */
const NO_BACKEND = 0x7fffffff;

const names = defineQuery({
  name: 'customers.names',
  build: (source, _parameters: object) => source.getRepository(Customer).createQueryBuilder('c'),
  map: ({ name }) => name,
}).bind({});

let primary: PostgresServer;
let standby: PostgresServer;
let proxy: TcpProxy;
let app: CachedApplication;

beforeAll(async () => {
  primary = await PostgresServer.start();
  await primary.createDatabase('shop');
  standby = await primary.restartWithStandby();
  proxy = await TcpProxy.open(primary.port);
  app = await CachedApplication.start({
    databaseUrl: primary.urlOf('shop').replace(String(primary.port), String(proxy.port)),
    entities: [Customer],
    synchronize: true,
    invalidation: { triggers: 'install' },
  });
  await app.source.query(`INSERT INTO customers (name, region) VALUES ('before', 'EU')`);
  await receivedByStandby('pg_last_wal_replay_lsn()');
  await standby.psql('SELECT pg_wal_replay_pause()');
});

afterAll(async () => {
  await app.stop();
  await proxy.close();
  await Promise.all([primary.stop(), standby.stop()]);
});

/** Waits until the standby has everything that the primary has committed, as a function reports. */
async function receivedByStandby(position: string): Promise<void> {
  const [row] = await primary.psql<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
  await eventually(async () => {
    const [answer] = await standby.psql(`SELECT ${position} >= '${row?.lsn}' AS "isThere"`);
    expect(answer).toEqual({ isThere: true });
  });
}

/** The answer of a read, once the pool has a connection to the present server, and the cache's outcome. */
async function read(): Promise<{ value: unknown; outcomes: string[] }> {
  for (;;) {
    try {
      return await app.observe(() => app.cache.run(names));
    } catch {
      // The connections to the former server are found to be closed one after the other.
    }
  }
}

const provided = <T>(token: unknown): T => app.get(token as Type<T>);

it('is not treated as the primary while it lacks a commit', async () => {
  await eventually(async () =>
    expect(await read()).toEqual({ value: ['before'], outcomes: ['hit'] }),
  );
  await app.source.query(`UPDATE customers SET name = 'after'`);
  await receivedByStandby('pg_last_wal_receive_lsn()');
  proxy.retarget(standby.port);
  proxy.cut();
  const refusals: unknown[] = [];
  app.cache.events.on('miss', ({ refusal }) => refusals.push(refusal));
  for (const _ of [1, 2]) expect(await read()).toEqual({ value: ['before'], outcomes: ['miss'] });
  expect(refusals).toEqual(['standby', 'standby']);
  expect(app.get(CacheHealth).check()).toMatchObject({
    status: 'degraded',
    detail: expect.stringContaining('standby') as unknown,
  });
});

it('settles no mark', async () => {
  const versions = provided<VersionStore>(VersionStore);
  const tables = [{ table: TABLE, names: ['*'] }];
  await versions.begin({ writeId: 'left', backendPid: NO_BACKEND, tables }, 'token', 1);
  await eventually(async () => {
    expect((await read()).outcomes).toEqual(['bypass']);
    const settling = app.get(ReadCore).settlement.settleMarks(TABLE, ['*']);
    await expect(settling).rejects.toThrow('the database is a standby');
  });
  expect((await read()).outcomes).toEqual(['bypass']);
});

it('has no valid catalog, and relays nothing', async () => {
  const schema = app.get(CatalogCache);
  await schema.reload();
  expect([await schema.isCurrent(), schema.isOutdated]).toEqual([false, true]);
  await eventually(() => expect(app.get(OutboxRelay).state).toBe('away'));
});

it('and is the primary with every commit once it is promoted', async () => {
  await standby.psql('SELECT pg_promote()');
  expect((await read()).value).toEqual(['after']);
  await eventually(async () => {
    expect(await read()).toEqual({ value: ['after'], outcomes: ['hit'] });
    expect(app.get(CacheHealth).check()).toEqual({ status: 'up' });
    expect(app.get(OutboxRelay).state).toBe('relaying');
  });
});
