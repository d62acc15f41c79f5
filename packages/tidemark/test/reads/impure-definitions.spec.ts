/** Real: PostgreSQL. A definition that reads the tenant of a request beside its parameters. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import {
  defineQuery,
  ImpureQueryError,
  type BoundQuery,
  type CacheEventMap,
} from '../../src/index.js';
import { CachedReads, type Observed } from './cached-reads.js';
import { Country } from './fixtures/library.entities.js';

const tenant = new AsyncLocalStorage<string>();

let reads: CachedReads | undefined;

afterEach(() => reads?.stop());

async function start(verifyPlans?: number): Promise<CachedReads> {
  const schema = [`INSERT INTO countries VALUES (1, 'US'), (2, 'EU')`];
  reads = await CachedReads.start([Country], schema, { verifyPlans });
  return reads;
}

const countries = (source: DataSource) =>
  source.getRepository(Country).createQueryBuilder('c').select('c.id', 'id');

const byTenant = defineQuery({
  name: 'by-tenant',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    countries(source).where('c.name = :name', { name: tenant.getStore() }),
});
const sortedByTenant = defineQuery({
  name: 'sorted-by-tenant',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    countries(source).orderBy('c.id', tenant.getStore() === 'US' ? 'ASC' : 'DESC'),
});
const declared = defineQuery({
  name: 'declared',
  shape: 'raw',
  context: () => tenant.getStore(),
  build: (source, _: Record<string, never>) =>
    countries(source).where('c.name = :name', { name: tenant.getStore() }),
});
const mapped = defineQuery({
  name: 'mapped',
  context: () => tenant.getStore(),
  build: (source, _: Record<string, never>) =>
    source.getRepository(Country).createQueryBuilder('c').where('c.id = 1'),
  map: ({ id }) => ({ id, seenBy: tenant.getStore() }),
  headers: () => ({ 'x-tenant': tenant.getStore() ?? '' }),
});

const readAs = (who: string, query: () => BoundQuery): Promise<Observed> =>
  tenant.run(who, () => reads!.read(query()));

/** Reads until the plan is remembered. */
async function remember(query: () => BoundQuery): Promise<unknown> {
  for (let times = 0; times < 3; times += 1) await readAs('US', query);
  const { value, outcome } = await readAs('US', query);
  expect(outcome).toBe('hit');
  return value;
}

describe('a builder that reads the tenant', () => {
  it.each([
    ['parameters', () => byTenant.bind({})],
    ['SQL', () => sortedByTenant.bind({})],
  ] as const)('fails outside of production where its %s differ', async (what, query) => {
    await start();
    const value = await remember(query);
    const leak = readAs('EU', query);
    await expect(leak).rejects.toThrow(ImpureQueryError);
    await expect(leak).rejects.toThrow(
      new RegExp(`its ${what} differ.*tenant leak.*context:`, 's'),
    );
    // From here on it is compiled each time.
    expect(await readAs('US', query)).toMatchObject({ value });
    expect((await readAs('EU', query)).value).not.toEqual(value);
  });

  it('gets its own rows, is counted and not remembered again where a share is verified', async () => {
    const { app } = await start(0.999_999);
    const differences: CacheEventMap['planDiffers'][0][] = [];
    app.cache.events.on('planDiffers', (event) => differences.push(event));
    await remember(() => byTenant.bind({}));
    for (const [who, id] of [
      ['EU', 2],
      ['US', 1],
      ['EU', 2],
    ] as const) {
      expect(await readAs(who, () => byTenant.bind({}))).toMatchObject({ value: [{ id }] });
    }
    expect(differences).toEqual([{ query: 'by-tenant', difference: 'parameters' }]);
  });

  it("gives no caller another caller's rows through a shared fill, verified or not", async () => {
    const { app } = await start(0);
    const run = (who: string): Promise<unknown> =>
      tenant.run(who, () => app.cache.run(byTenant.bind({})));
    await remember(() => byTenant.bind({}));
    await reads!.write(`UPDATE countries SET name = name`);
    expect(await Promise.all(['EU', 'US', 'EU'].map(run))).toEqual([
      [{ id: 2 }],
      [{ id: 1 }],
      [{ id: 2 }],
    ]);
  });
});

describe('a map that reads the tenant', () => {
  const undeclared = defineQuery({
    name: 'undeclared-map',
    build: (source, _: Record<string, never>) =>
      source.getRepository(Country).createQueryBuilder('c').where('c.id = 1'),
    map: ({ id }) => ({ id, seenBy: tenant.getStore() }),
  });
  const query = (): BoundQuery => undeclared.bind({});

  it('does not include a map that changes its row, or returns an instance or an invalid date', async () => {
    const changing = defineQuery({
      name: 'changing-map',
      build: (source, _: Record<string, never>) =>
        source.getRepository(Country).createQueryBuilder('c').where('c.id = 1'),
      map: (country) => {
        country.name = `Dr ${country.name}`;
        return { ...country, at: new Date('never') };
      },
    });
    await start();
    const change = (): BoundQuery => changing.bind({});
    const { value } = await readAs('US', change);
    expect(value).toMatchObject([{ name: 'Dr US' }]);
    const again = await readAs('EU', change);
    expect(again).toMatchObject({ value: [{ name: 'Dr US' }], outcome: 'hit' });
  });

  it('fails outside of production', async () => {
    await start();
    await expect(readAs('US', query)).rejects.toThrow(/its mapped rows differ.*tenant leak/s);
    await expect(readAs('EU', query)).rejects.toThrow(ImpureQueryError);
  });

  it('gets its own rows, is counted and not stored where a share is verified', async () => {
    const { app } = await start(0.999_999);
    const differences: CacheEventMap['planDiffers'][0][] = [];
    app.cache.events.on('planDiffers', (event) => differences.push(event));
    for (const who of ['US', 'EU', 'US']) {
      const seen = await readAs(who, query);
      expect(seen).toMatchObject({ value: [{ id: 1, seenBy: who }], outcome: 'miss' });
    }
    expect(differences).toHaveLength(3);
  });
});

describe('a definition with `context`', () => {
  it('has an answer for each tenant, by build, map and headers', async () => {
    await start();
    for (let times = 0; times < 4; times += 1) {
      for (const [who, id] of [
        ['US', 1],
        ['EU', 2],
      ] as const) {
        const outcome = times === 0 ? 'miss' : 'hit';
        const own = await readAs(who, () => declared.bind({}));
        expect(own).toMatchObject({ value: [{ id }], outcome });
        const seen = await readAs(who, () => mapped.bind({}));
        expect(seen).toMatchObject({ value: [{ id: 1, seenBy: who }], outcome });
      }
    }
  });

  it('runs only where it was bound', async () => {
    await start();
    const bound = tenant.run('US', () => declared.bind({}));
    for (let times = 0; times < 4; times += 1) {
      await expect(readAs('EU', () => bound)).rejects.toThrow(/another context.*bind it where/);
      expect(await readAs('US', () => bound)).toMatchObject({ value: [{ id: 1 }] });
    }
  });
});
