/** Real: PostgreSQL. The command `tidemark triggers`, which migrations and owners of tables use. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { triggersCommand } from '../../src/cli/triggers-command.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';

const FILE = join(import.meta.dirname, 'fixtures/data-source.ts');
const EMPTY = join(import.meta.dirname, '../guide/users.queries.ts');

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
  expect(await act('--check')).toEqual([1, ['missing    public.customers']]);
  expect(await act('--install')).toEqual([0, ['Installed on public.customers.']]);
  expect(await act('--install')).toEqual([0, ['All were installed.']]);
  expect(await act('--check')).toEqual([0, ['installed  public.customers']]);
  expect(await act('--remove')).toEqual([0, ['Removed.']]);
  expect((await act('--check'))[0]).toBe(1);
});

it('--print: SQL that installs what --check then finds, in the given namespace', async () => {
  const [code, statements] = await run('triggers', '--print', '-d', FILE, '--namespace', 'shop');
  expect(code).toBe(0);
  await source.query(statements.join('\n'));
  expect(await run('triggers', '--check', '-d', FILE, '--namespace', 'shop')).toEqual([
    0,
    ['installed  public.customers'],
  ]);
});

it('a file without a data source: an error that names it', async () => {
  await expect(run('triggers', '--check', '-d', EMPTY)).rejects.toThrow('exports no DataSource');
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
