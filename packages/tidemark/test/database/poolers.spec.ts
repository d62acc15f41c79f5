/** Real: PostgreSQL behind a proxy that sends a made-up process id, as connection poolers do. */
import { afterEach, expect, it } from 'vitest';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedApplication } from '../support/cached-application.js';
import { PoolingProxy } from '../support/pooling-proxy.js';
import { Part } from '../start/started-application.js';

let proxy: PoolingProxy;

afterEach(() => proxy.close());

async function start(isPooling: boolean): Promise<CachedApplication> {
  proxy = await PoolingProxy.start(await createDatabase(), isPooling);
  return CachedApplication.start({ databaseUrl: proxy.url, entities: [Part], synchronize: true });
}

it('an application behind a connection pooler does not start, and the message names the remedy', async () => {
  await expect(start(true)).rejects.toThrow(
    /"default" \(database .*\) leads to a connection pooler such as PgBouncer.*1234567890.*address of PostgreSQL itself/,
  );
});

it('an application behind a proxy that passes the process id on starts', async () => {
  await (await start(false)).stop();
});
