/** Real: PostgreSQL. Queries of another data source than the cache's are refused, never run on the wrong one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { defineQuery, OtherDataSourceError } from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedReads } from './cached-reads.js';
import { Country } from './fixtures/library.entities.js';

let reads: CachedReads;
let other: DataSource;

beforeAll(async () => {
  reads = await CachedReads.start([Country], [`INSERT INTO countries VALUES (1, 'here')`]);
  // As @nestjs/typeorm keeps a name.
  const named = { name: 'reports' };
  other = new DataSource({
    type: 'postgres',
    url: await createDatabase(),
    entities: [Country],
    synchronize: true,
    ...named,
  });
  await other.initialize();
  await other.query(`INSERT INTO countries VALUES (1, 'there')`);
});

afterAll(async () => {
  await other.destroy();
  await reads.stop();
});

const builderOf = (source: DataSource) => source.getRepository(Country).createQueryBuilder('c');

/** A query that ignores the data source it is given. */
const fromElsewhere = defineQuery({
  name: 'from-elsewhere',
  build: (_, from: { source: () => DataSource }) => builderOf(from.source()),
});

describe('a query of a second data source', () => {
  it('is refused with the names of both, as a builder, bound, and explained', async () => {
    const bound = fromElsewhere.bind({ source: () => other });
    const names = new RegExp(
      `"reports" \\(database ${String(other.driver.database)}\\).*` +
        `"default" \\(database ${String(reads.app.source.driver.database)}\\)`,
    );
    for (const query of [() => builderOf(other), () => bound]) {
      for (let times = 0; times < 3; times += 1) {
        const refused = reads.read(query());
        await expect(refused).rejects.toThrow(OtherDataSourceError);
        await expect(refused).rejects.toThrow(names);
      }
      expect(() => reads.app.cache.explain(query())).toThrow(OtherDataSourceError);
    }
  });

  it('is also refused inside its own transaction', async () => {
    await other.transaction(async (manager) => {
      const builder = manager.getRepository(Country).createQueryBuilder('c');
      await expect(reads.read(builder)).rejects.toThrow(OtherDataSourceError);
    });
  });

  it('does not keep the same entity of the first one from the cache', async () => {
    const make = () => builderOf(reads.app.source);
    expect(await reads.warm(make)).toEqual([{ id: 1, name: 'here' }]);
  });

  it('does not include a wrapped data source of the cache', async () => {
    const wrapped = new Proxy(reads.app.source, {});
    const make = () => builderOf(wrapped);
    expect(await reads.warm(make)).toEqual([{ id: 1, name: 'here' }]);
  });
});
