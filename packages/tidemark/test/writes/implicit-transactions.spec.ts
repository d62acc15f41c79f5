/**
 * Real: PostgreSQL. The implicit transaction of a single write has a separate limit for its idle time, and those
 * of the application have none of it.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openingOf } from '../../src/typeorm/statements/transactions.js';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { Customer } from '../fixtures/entities.js';

const IDLE_MS = 300;
const SETTING = 'idle_in_transaction_session_timeout';

const names = defineQuery({
  name: 'customers.names',
  build: (source, _parameters: object) => source.getRepository(Customer).createQueryBuilder('c'),
  map: ({ name }) => name,
}).bind({});

let proxy: TcpProxy;
let app: CachedApplication;
let other: CachedApplication;

beforeAll(async () => {
  const url = new URL(await createDatabase());
  const entities = [Customer];
  other = await CachedApplication.start({ databaseUrl: url.href, entities, synchronize: true });
  proxy = await TcpProxy.open(Number(url.port));
  url.port = String(proxy.port);
  app = await CachedApplication.start({
    databaseUrl: url.href,
    entities,
    poolSize: 1,
    invalidation: { implicitTransactionIdleMs: IDLE_MS },
  });
});

afterAll(async () => {
  await Promise.all([app.stop(), other.stop()]);
  await proxy.close();
});

beforeEach(async () => {
  await other.source.query('TRUNCATE customers RESTART IDENTITY');
  await other.source.query(`INSERT INTO customers (name, region) VALUES ('ann', 'US')`);
});

const renames: [string, (source: CachedApplication['source'], name: string) => Promise<unknown>][] =
  [
    [
      'with parameters',
      (source, name) => source.query('UPDATE customers SET name = $1 WHERE id = 1', [name]),
    ],
    [
      'without parameters',
      (source, name) => source.query(`UPDATE customers SET name = '${name}' WHERE id = 1`),
    ],
  ];

describe.each(renames)('a single write %s', (_how, rename) => {
  it('releases its row when COMMIT does not come, and rejects', async () => {
    const held = proxy.holdAt('to-server', 'COMMIT\0');
    const write = rename(app.source, 'bob');
    write.catch(() => undefined);
    await held.reached();
    await rename(other.source, 'eve');
    held.letGo();
    await expect(write).rejects.toMatchObject({ driverError: { code: '25P03' } });
    expect(await app.cache.run(names)).toEqual(['eve']);
    await rename(app.source, 'zoe');
    expect(await app.cache.run(names)).toEqual(['zoe']);
  });

  it('leaves the limit of the session to the transactions of the application', async () => {
    await rename(app.source, 'bob');
    const [inside] = await app.source.query<[unknown[]]>(
      `UPDATE customers SET name = $1 RETURNING current_setting('${SETTING}') AS "limit"`,
      ['eve'],
    );
    expect(inside).toEqual([{ limit: `${IDLE_MS}ms` }]);
    const ofApplication = app.source.transaction(async (manager) => {
      await rename(manager as unknown as CachedApplication['source'], 'ida');
      return manager.query<unknown>(`SELECT current_setting('${SETTING}') AS "limit"`);
    });
    expect(await ofApplication).toEqual([{ limit: '0' }]);
  });
});

it('rejects a limit that is not a number of milliseconds', () => {
  expect(() => openingOf(-1)).toThrow('`implicitTransactionIdleMs`');
});
