/** Real: PostgreSQL, Redis, triggers, two instances. The events of reads name what a write of the other has ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CacheRegion, defineQuery, type CacheEventMap } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';

@Entity('readers')
@CacheRegion<Reader>('region')
class Reader {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'text' })
  name: string;
}

@Entity('loans')
class Loan {
  @PrimaryColumn({ type: 'text' })
  reader: string;

  @PrimaryColumn({ type: 'integer' })
  book: number;

  @Column({ type: 'text' })
  note: string;
}

const inRegion = defineQuery({
  name: 'readers.in-region',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Reader).createQueryBuilder('r').where('r.region = :region', { region }),
  map: ({ name }) => name,
});
const loan = defineQuery({
  name: 'loans.one',
  shape: 'one',
  build: (source, key: { reader: string; book: number }) =>
    source
      .getRepository(Loan)
      .createQueryBuilder('l')
      .where('l.reader = :reader AND l.book = :book', key),
});

type Emitted = { readonly [E in keyof CacheEventMap]?: CacheEventMap[E][0] };
type Query = Parameters<CachedApplication['cache']['run']>[0];

const READERS = 'public.readers';
const LOANS = 'public.loans';
const DIGEST = /^[^=?]+=[0-9a-f]{6}$/;
/** A value with all characters that names, stamps and keys of versions use, and one that they have as a hash. */
const SECRETS = ['sécret=a?b:c@d\nregion=US:v\n*', `sécret ${'x'.repeat(200)}`];

let redis: RedisServer;
let databaseUrl: string;
let one: CachedApplication;
let two: CachedApplication;
let isFirst = true;

async function start(exposeValues?: boolean | readonly string[]): Promise<CachedApplication> {
  const app = await CachedApplication.start({
    databaseUrl,
    entities: [Reader, Loan],
    synchronize: isFirst,
    cache: { redis: { url: redis.url }, exposeValues },
    invalidation: { triggers: 'install' },
  });
  isFirst = false;
  return app;
}

beforeAll(async () => {
  redis = await RedisServer.start();
  databaseUrl = await createDatabase();
  one = await start();
  two = await start();
  await one.source
    .getRepository(Reader)
    .insert([
      { id: 1, region: 'US', name: 'ada' },
      ...SECRETS.map((region, index) => ({ id: 2 + index, region, name: 'bob' })),
    ]);
  await one.source
    .getRepository(Loan)
    .insert(SECRETS.map((reader) => ({ reader, book: 1, note: 'new' })));
});

afterAll(async () => {
  await Promise.all([one, two].map((app) => app.stop()));
  await redis.stop();
});

/** The events of reads while the query ran. */
async function read(app: CachedApplication, query: Query): Promise<Emitted> {
  const emitted: Record<string, unknown> = {};
  const { events } = app.cache;
  const names = ['hit', 'miss', 'joined', 'bypass', 'fillFailed'] as const;
  const listeners = names.map((name) => {
    const listener = (event: object): void => {
      if (name in emitted) throw new Error(`The event ${name} was emitted twice.`);
      emitted[name] = event;
    };
    events.on(name, listener);
    return () => events.off(name, listener);
  });
  try {
    await app.cache.run(query);
    return emitted;
  } finally {
    for (const stop of listeners) stop();
  }
}

/** Reads until the answer is stored. */
async function store(app: CachedApplication, query: Query): Promise<NonNullable<Emitted['hit']>> {
  return eventually(async () => {
    const { hit } = await read(app, query);
    if (!hit) throw new Error('The answer is not stored yet.');
    return hit;
  });
}

/** The first read that does not bypass the cache: marks of writes go by themselves. */
async function readTrusted(app: CachedApplication, query: Query): Promise<Emitted> {
  return eventually(async () => {
    const emitted = await read(app, query);
    if (emitted.bypass) throw new Error(emitted.bypass.reason);
    return emitted;
  });
}

const rename = (app: CachedApplication, region: string, name: string) =>
  app.source.getRepository(Reader).update({ region }, { name });

describe('a miss after a write of the other instance', () => {
  it('names the region that has ended the entry, which this instance has in memory', async () => {
    const query = inRegion.bind({ region: 'US' });
    const { regions } = await store(one, query);
    await rename(two, 'US', 'ann');
    const { miss, ...others } = await readTrusted(one, query);
    expect(others).toEqual({});
    expect(miss).toMatchObject({ query: 'readers.in-region', cause: 'outdated', stored: true });
    expect(miss?.bytes).toBeGreaterThan(0);
    expect(regions).toEqual([
      { table: READERS, names: [expect.stringMatching(/^region=[0-9a-f]{6}$/), 'region?'] },
    ]);
    expect(miss?.regions).toEqual(regions);
    expect(miss?.outdated).toEqual([{ table: READERS, names: [regions[0]?.names[0]] }]);
  });

  it('names it if Redis alone has the entry', async () => {
    const query = inRegion.bind({ region: 'US' });
    const three = await start();
    try {
      const { regions } = await store(one, query);
      await rename(one, 'US', 'amy');
      const { miss } = await readTrusted(three, query);
      expect(miss?.cause).toBe('outdated');
      expect(miss?.outdated).toEqual([{ table: READERS, names: [regions[0]?.names[0]] }]);
    } finally {
      await three.stop();
    }
  });
});

describe('the values of regions', () => {
  it.each(SECRETS)('are in no event without exposeValues: %j', async (secret) => {
    const byRegion = inRegion.bind({ region: secret });
    const byKey = loan.bind({ reader: secret, book: 1 });
    const emitted = [await store(one, byRegion), await store(one, byKey)];
    await rename(two, secret, 'eve');
    await two.source.getRepository(Loan).update({ reader: secret, book: 1 }, { note: 'late' });
    for (const query of [byRegion, byKey]) {
      const { miss } = await readTrusted(one, query);
      expect(miss?.cause).toBe('outdated');
      expect(miss?.outdated.flatMap(({ names }) => names)).toEqual([expect.stringMatching(DIGEST)]);
      emitted.push(await store(two, query), ...(miss ? [miss as never] : []));
    }
    expect(emitted).toHaveLength(6);
    expect(JSON.stringify(emitted)).not.toMatch(/sécret|s%C3%A9cret|x{20}/);
  });

  it('are shown by exposeValues: true, and have the same digests elsewhere', async () => {
    const open = await start(true);
    const some = await start([`${LOANS}.reader,book`]);
    try {
      const [secret = ''] = SECRETS;
      const byRegion = inRegion.bind({ region: secret });
      const byKey = loan.bind({ reader: secret, book: 1 });
      const regionsOf = async (query: Query) => {
        const hits = [await store(open, query), await store(some, query), await store(one, query)];
        return hits.map(({ regions }) => regions[0]?.names[0]);
      };
      const [shown, masked, digest] = await regionsOf(byRegion);
      expect(shown).toBe(`region=${secret}`);
      expect(masked).toMatch(DIGEST);
      expect(masked).toBe(digest);
      const key = `reader%2Cbook=${JSON.stringify([secret, '1'])}`;
      expect(await regionsOf(byKey)).toEqual([key, key, expect.stringMatching(DIGEST)]);
    } finally {
      await Promise.all([open.stop(), some.stop()]);
    }
  });
});
