/** Writes of the service to tables without notices: their triggers are disabled, dropped, or were never installed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { TriggerKeeper, defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { Bystander } from '../fixtures/entities.js';
import { Account, Payment } from './accounts.entities.js';
import { endedOf, Outside } from './outside.js';

const rowsOf = (table: string): BoundQuery =>
  defineQuery({
    name: table,
    shape: 'raw',
    build: (source, _: Record<string, never>) =>
      source.createQueryBuilder().select('t.*').from(table, 't').orderBy('t.id'),
  }).bind({});
const answers: Readonly<Record<string, BoundQuery>> = {
  accounts: rowsOf('accounts'),
  payments: rowsOf('payments'),
  notes: rowsOf('notes'),
  bystanders: rowsOf('bystanders'),
};
const all = Object.keys(answers);
const OFF = 'ALTER TABLE accounts DISABLE TRIGGER ALL';
const ON = `ALTER TABLE accounts ${['insert', 'update', 'delete', 'truncate']
  .map((event) => `ENABLE ALWAYS TRIGGER tidemark_tidemark_${event}`)
  .join(', ')}`;

const open = Outside.opening({
  entities: [Account, Payment, Bystander],
  invalidation: { triggers: 'check' },
  schema: `
    CREATE TABLE notes (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE);
    CREATE FUNCTION pay(int) RETURNS void LANGUAGE sql AS 'UPDATE payments SET account = $1';
    CREATE FUNCTION note(int) RETURNS void LANGUAGE sql AS 'UPDATE notes SET account = $1';
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE notes SET account = NULL WHERE id = 21; RETURN NULL; END $$;
    CREATE TRIGGER watch AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION watch();
    INSERT INTO accounts VALUES (1, 'US'), (2, 'EU');
    INSERT INTO payments VALUES (11, 1);
    INSERT INTO notes VALUES (21, 1);
    INSERT INTO bystanders VALUES (1)`,
});

let outside: Outside;
let source: DataSource;
let logged: string[];

beforeEach(async () => {
  outside = await open();
  ({ source } = outside.app);
  logged = [];
  Logger.overrideLogger({
    log: (message: string) => void logged.push(message),
    warn: (message: string) => void logged.push(message),
    error: () => undefined,
  });
  await outside.emptied();
  await outside.warm(Object.values(answers));
});

afterEach(async () => {
  Logger.overrideLogger(false);
  await outside.close();
});

const problem = (): string | undefined => outside.app.get(TriggerKeeper).problem;

describe('disabled triggers', () => {
  it.each([
    ['a statement', () => source.query(`UPDATE accounts SET region = 'APAC' WHERE id = 1`)],
    [
      'a statement in a transaction',
      () => source.transaction((manager) => manager.update(Account, 1, { region: 'APAC' })),
    ],
  ])('make %s a write to everything, and the health names the table', async (_what, write) => {
    await outside.client.query(OFF);
    await write();
    expect(await endedOf(answers, outside)).toEqual(all);
    await eventually(() => expect(problem()).toContain('public.accounts'));
    expect(logged.join()).toContain('The triggers of public.accounts did not report a write');
    await outside.client.query(ON);
    await outside.app.get(TriggerKeeper).check();
    await eventually(() => expect(problem()).toBeUndefined(), 10_000);
    // The relay notices the change too, and ends all answers once more.
    await eventually(async () => {
      await outside.warm(Object.values(answers));
      await source.query(`UPDATE accounts SET region = 'US' WHERE id = 1`);
      expect(await endedOf(answers, outside)).toEqual(['accounts']);
    }, 10_000);
  });

  it('are detected behind a function, whose answer counts no rows', async () => {
    await outside.client.query('ALTER TABLE payments DISABLE TRIGGER tidemark_tidemark_update');
    await source.query('SELECT pay(2)');
    expect(await endedOf(answers, outside)).toContain('payments');
  });
});

describe('a session that has lost the setting by which the triggers recognise it', () => {
  it.each(['DISCARD ALL', 'RESET ALL', `SET tidemark.publishes = ''`])('by %s', async (lose) => {
    const runner = source.createQueryRunner();
    try {
      await runner.query(lose);
      await runner.query(`UPDATE accounts SET region = 'APAC' WHERE id = 1`);
      expect(await endedOf(answers, outside)).toContain('accounts');
      await runner.query(lose);
      await runner.query('SELECT pay(2)');
      expect(await endedOf(answers, outside)).toContain('payments');
    } finally {
      await runner.release();
    }
  });
});

describe('a table without triggers', () => {
  it.each([
    ['is named', () => source.query('UPDATE notes SET account = 2'), ['notes']],
    ['is written by a function', () => source.query('SELECT note(2)'), ['notes']],
    [
      'is written by a foreign key',
      () => source.query('DELETE FROM accounts WHERE id = 1'),
      ['accounts', 'notes'],
    ],
    [
      'is written by a trigger on a table that has triggers',
      () => source.query('INSERT INTO payments VALUES (12, 2)'),
      ['payments', 'notes'],
    ],
  ])('has all its answers ended where it %s', async (_how, write, ended) => {
    await write();
    expect(await endedOf(answers, outside)).toEqual(ended);
  });

  it('keeps its answers where nothing was written', async () => {
    await source.query('UPDATE notes SET account = 2 WHERE id = 99');
    expect(await endedOf(answers, outside)).toEqual([]);
  });

  it('is named in the log, once', async () => {
    await source.query('UPDATE notes SET account = 2');
    await source.query('UPDATE notes SET account = 1');
    expect(
      logged.filter((line) => line.startsWith('Table public.notes has no triggers')),
    ).toHaveLength(1);
  });
});
