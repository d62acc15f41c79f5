/**
 * Real: PostgreSQL. In EUC_JP two Unicode characters become one: texts that are equal in the database differ in the
 * process.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CacheRegion, defineQuery } from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedReads } from '../reads/cached-reads.js';

@Entity('labels')
class Label {
  @PrimaryColumn('text') id!: string;
  @Column('integer') n!: number;
}

@Entity('districts')
@CacheRegion<District>('name')
class District {
  @PrimaryColumn('integer') id!: number;
  @Column('text') name!: string;
}

/** BROKEN BAR and FULLWIDTH BROKEN BAR: one character of EUC_JP. */
const [BAR, FULLWIDTH_BAR] = ['\u00a6', '\uffe4'];

const label = defineQuery({
  name: 'label',
  build: (source, { id }: { id: string }) =>
    source.getRepository(Label).createQueryBuilder('l').where('l.id = :id', { id }),
});

describe('a database in EUC_JP', () => {
  let reads: CachedReads;

  beforeAll(async () => {
    reads = await CachedReads.start(
      [Label],
      [],
      {},
      {
        database: await createDatabase({ encoding: 'EUC_JP' }),
        invalidation: { triggers: 'install' },
      },
    );
  });

  afterAll(() => reads.stop());

  it('a write with one spelling ends the answers requested with the other', async () => {
    await reads.app.source.getRepository(Label).insert({ id: BAR, n: 1 });
    const byOther = () => label.bind({ id: FULLWIDTH_BAR });
    expect(await reads.warm(byOther)).toMatchObject([{ n: 1 }]);

    await reads.app.source.getRepository(Label).update(BAR, { n: 2 });

    expect((await reads.read(byOther())).value).toMatchObject([{ n: 2 }]);
  });

  it('a text region is refused at start, with the reason', async () => {
    const database = await createDatabase({ encoding: 'EUC_JP' });
    await expect(CachedReads.start([District], [], {}, { database })).rejects.toThrow(
      /name of table public.districts .* encoding is neither UTF8/,
    );
  });
});

it('in LATIN1 text splits a table into regions', async () => {
  const reads = await CachedReads.start(
    [Label],
    [],
    {},
    {
      database: await createDatabase({ encoding: 'LATIN1' }),
      invalidation: { triggers: 'install' },
    },
  );
  try {
    await reads.app.source.getRepository(Label).insert([
      { id: '\u00e9', n: 1 },
      { id: 'e', n: 1 },
    ]);
    const value = await reads.warm(() => label.bind({ id: '\u00e9' }));
    await reads.app.source.getRepository(Label).update('e', { n: 2 });
    await reads.expectHit(() => label.bind({ id: '\u00e9' }), value);
  } finally {
    await reads.stop();
  }
});
