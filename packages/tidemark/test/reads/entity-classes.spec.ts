/** Real: PostgreSQL. Entities come back as instances of their class, in working order, or the query runs again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BaseEntity, Column, Entity, PrimaryColumn } from 'typeorm';
import { CachedReads } from './cached-reads.js';

@Entity('secrets')
class Secret {
  #count = 7;

  @PrimaryColumn({ type: 'integer' })
  id: number;

  count(): number {
    return this.#count;
  }
}

const helpers = { __privateGet: (counts: WeakMap<object, number>, of: object) => counts.get(of) };
const counts = new WeakMap<object, number>();

/** As a compiler for older engines writes a private name. */
@Entity('lowered')
class Lowered {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  constructor() {
    counts.set(this, 7);
  }

  count(): number | undefined {
    const { __privateGet: get } = helpers;
    return get(counts, this);
  }
}

@Entity('counters')
class Counter extends BaseEntity {
  private readonly start = 7;

  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text', default: '#' })
  sign: string;

  count(): number {
    return this.start + this.id;
  }
}

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    [Counter, Secret, Lowered],
    [
      'INSERT INTO secrets VALUES (1)',
      'INSERT INTO lowered VALUES (1)',
      'INSERT INTO counters VALUES (1)',
    ],
  );
});

afterAll(() => reads.stop());

it.each([
  ['as they are written', Secret],
  ['as compilers write them', Lowered],
])('stores no entity with private names, %s', async (_, entity: new () => Secret | Lowered) => {
  const { source } = reads.app;
  const query = () => source.getRepository(entity).createQueryBuilder('s');
  for (let run = 0; run < 3; run += 1) {
    const { value, statements } = await reads.read(query());
    expect((value as Secret[]).map((secret) => secret.count())).toEqual([7]);
    expect(statements).not.toEqual([]);
  }
});

it('returns other classes with their methods', async () => {
  const { source } = reads.app;
  const [counter] = (await reads.warm(() =>
    source.getRepository(Counter).createQueryBuilder('c'),
  )) as [Counter];
  expect(counter.count()).toBe(8);
  expect(counter).toEqual(await source.getRepository(Counter).findOneBy({ id: 1 }));
});
