/** Real: PostgreSQL. The command `tidemark triggers`, which migrations and owners of tables use. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { triggersCommand } from '../../src/cli/triggers-command.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';

const FILE = join(import.meta.dirname, 'fixtures/data-source.ts');
const OF_SHOP = join(import.meta.dirname, 'fixtures/shop.data-source.ts');
const PROMISED = join(import.meta.dirname, 'fixtures/promised.data-source.ts');
const TWO = join(import.meta.dirname, 'fixtures/two.data-sources.ts');
const WITHOUT_TABLES = join(import.meta.dirname, 'fixtures/without-tables.data-source.ts');
const EMPTY = join(import.meta.dirname, '../guide/users.queries.ts');

/** The row by which an installation ends all answers. */
const oneRow = (namespace: string): unknown =>
  expect.stringMatching(
    new RegExp(`^tidemark_${namespace}: 1 rows, the oldest [0-9]+\\.[0-9] s old$`),
  );

let source: DataSource;

beforeAll(async () => {
  const url = await createDatabase();
  process.env.TEST_DATABASE_URL = url;
  source = new DataSource({ type: 'postgres', url, entities: [Customer], synchronize: true });
  await source.initialize();
});

afterAll(() => source.destroy());

/** @returns the exit code and the printed lines */
async function run(...args: string[]): Promise<[number, string[]]> {
  const lines: string[] = [];
  const code = await triggersCommand(args, (line) => lines.push(line));
  return [code, lines];
}

it('--check, --install, --check, --remove: the states of the tables, and the exit codes', async () => {
  const act = (flag: string) => run('triggers', flag, '-d', FILE);
  const remedy = 'Run with --install to install or repair the triggers.';
  expect(await act('--check')).toEqual([1, ['missing    public.customers', remedy]]);
  expect(await act('--install')).toEqual([0, ['Installed on public.customers.']]);
  expect(await act('--install')).toEqual([0, ['All were installed.']]);
  expect(await act('--check')).toEqual([0, ['installed  public.customers', oneRow('tidemark')]]);
  expect(await act('--remove')).toEqual([0, ['Removed.']]);
  expect((await act('--check'))[0]).toBe(1);
});

it('--print: SQL that installs what --check then finds, in the given namespace', async () => {
  const given = ['-d', FILE, '--namespace', 'shop'];
  const [code, statements] = await run('triggers', '--print', ...given);
  expect(code).toBe(0);
  await source.query(statements.join('\n'));
  const expected = [0, ['installed  public.customers', oneRow('shop')]];
  expect(await run('triggers', '--check', ...given)).toEqual(expected);
  // The module exports the namespace.
  expect(await run('triggers', '--check', '-d', OF_SHOP)).toEqual(expected);
});

it('--check with a row in an outbox for more than an hour: exit code 1, and the command that removes it', async () => {
  const namespaced = (flag: string) => ['triggers', flag, '-d', FILE, '--namespace', 'left'];
  await run(...namespaced('--install'));
  await source.query(`UPDATE tidemark_left.outbox SET recorded_at = now() - interval '61 minutes'`);
  const [code, lines] = await run(...namespaced('--check'));
  const remedy = 'No application reads tidemark_left: run with --remove --namespace left';
  expect([code, lines.at(-1)]).toEqual([1, remedy]);
  await run(...namespaced('--remove'));
  expect((await run(...namespaced('--check')))[1].join()).not.toContain('tidemark_left');
});

it('a file without a data source: an error that names it', async () => {
  await expect(run('triggers', '--check', '-d', EMPTY)).rejects.toThrow('exports no DataSource');
});

it('a file that exports the promise of a data source: the data source', async () => {
  const [, [table]] = await run('triggers', '--check', '-d', PROMISED);
  expect(table).toMatch(/ public\.customers$/);
});

it('a file with two data sources: an error, since one of them may be another database', async () => {
  await expect(run('triggers', '--remove', '-d', TWO)).rejects.toThrow('exports 2 data sources');
});

it.each(['--check', '--install'])('%s without any table: exit code 1', async (flag) => {
  const [code, lines] = await run('triggers', flag, '-d', WITHOUT_TABLES, '--namespace', 'none');
  expect(code).toBe(1);
  expect(lines).toContainEqual(expect.stringContaining('No table of an entity was found'));
});

it.each([
  [[]],
  [['triggers']],
  [['triggers', '--check']],
  [['triggers', '--check', '--print', '-d', FILE]],
  [['x']],
])('wrong arguments %j: the usage and exit code 2', async (args) => {
  const [code, [usage]] = await run(...args);
  expect([code, usage]).toEqual([2, expect.stringContaining('Usage: tidemark triggers')]);
});
