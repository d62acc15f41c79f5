/** Real: PostgreSQL. Many requests for one answer at once. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';

@Entity('lakes')
class Lake {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

const lakes = defineQuery({
  name: 'lakes',
  build: (source, { least }: { least: number }) =>
    source
      .getRepository(Lake)
      .createQueryBuilder('l')
      .where('l.id >= :least', { least })
      .orderBy('l.id'),
  map: ({ name }) => name,
});

/** They are answered in groups, a turn of the event loop apart. */
const AT_ONCE = 400;

let app: CachedApplication;
let sql: StatementCounter;

beforeAll(async () => {
  const databaseUrl = await createDatabase();
  app = await CachedApplication.start({ databaseUrl, entities: [Lake], synchronize: true });
  sql = StatementCounter.attach(app.source);
  await app.source.query(`INSERT INTO lakes SELECT n, 'lake ' || n FROM generate_series(1, 300) n`);
});

afterAll(async () => {
  sql.detach();
  await app.stop();
});

it.each([0, -1, -2, -3, -4])('share one statement (%i)', async (least) => {
  const ask = () => app.cache.run(lakes.bind({ least }));
  await ask();
  await app.source.query(`UPDATE lakes SET name = 'another' WHERE id = 1`);
  await eventually(async () => {
    const { outcomes } = await app.observe(() => app.cache.run(lakes.bind({ least: least - 10 })));
    if (outcomes[0] === 'bypass') throw new Error('The write has not ended.');
  });
  sql.reset();
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, ask));
  for (const answer of answers) expect(answer[0]).toBe('another');
  expect(sql.selectsFrom('lakes')).toHaveLength(1);
});
