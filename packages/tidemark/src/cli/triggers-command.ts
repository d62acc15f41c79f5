/** `tidemark triggers`: manages the triggers of a data source, for migrations and for roles of owners. */
import { parseArgs } from 'node:util';
import { OUTBOX_SCHEMA_PREFIX } from '../postgres/capture/outbox-objects.js';
import { CacheTriggers } from '../typeorm/triggers/cache-triggers.js';
import type { Print } from './command.js';
import { loadDataSource, openDataSource } from './data-source-file.js';

export const USAGE = `Usage: tidemark triggers --print | --check | --install | --remove -d <file> [--namespace <name>]
  --print            print the SQL that installs everything, for the owner of the tables
  --check            print the state of each table and the length of each outbox;
                     ends with 1 if there is something to do
  --install          install the triggers where they are missing, outdated or disabled
  --remove           remove the triggers, and the outbox of the namespace with its rows
  -d, --dataSource   a module that exports the DataSource, as for the commands of TypeORM
  --namespace        the namespace of QueryCacheModule; default: the export \`namespace\`
                     of the module, or tidemark`;

/** An older row means that no application reads the outbox any more. */
const FORGOTTEN_SECONDS = 3_600;

const NO_TABLES =
  'No table of an entity was found: check the entities, the database and the search_path of the data source.';

type Action = (triggers: CacheTriggers, print: Print) => Promise<boolean>;

const ACTIONS: Readonly<Record<string, Action>> = {
  print: async (triggers, print) => {
    for (const sql of await triggers.statements()) print(`${sql};\n`);
    return true;
  },
  check: async (triggers, print) => {
    const tables = await triggers.check();
    for (const { table, state } of tables) print(`${state.padEnd(9)}  ${table}`);
    const outboxes = await triggers.outboxes();
    for (const { schema, rows, ageSeconds } of outboxes) {
      print(`${schema}: ${rows} rows, the oldest ${ageSeconds.toFixed(1)} s old`);
    }
    if (tables.length === 0) print(NO_TABLES);
    const areInstalled = tables.every(({ state }) => state === 'installed');
    if (!areInstalled) print('Run with --install to install or repair the triggers.');
    const forgotten = outboxes.filter(({ ageSeconds }) => ageSeconds > FORGOTTEN_SECONDS);
    for (const { schema } of forgotten) {
      const namespace = schema.slice(OUTBOX_SCHEMA_PREFIX.length);
      print(`No application reads ${schema}: run with --remove --namespace ${namespace}`);
    }
    return areInstalled && tables.length > 0 && forgotten.length === 0;
  },
  install: async (triggers, print) => {
    const tables = await triggers.install();
    if (tables.length > 0) print(`Installed on ${tables.join(', ')}.`);
    const hasTables = tables.length > 0 || (await triggers.check()).length > 0;
    if (!hasTables) print(NO_TABLES);
    else if (tables.length === 0) print('All were installed.');
    return hasTables;
  },
  remove: async (triggers, print) => {
    await triggers.remove();
    print('Removed.');
    return true;
  },
};

/** Resolves to the exit code: 0, 1 if something is to be done or there are no tables, 2 for wrong arguments. */
export async function triggersCommand(args: readonly string[], print: Print): Promise<number> {
  const given = parse(args);
  if (!given) {
    print(USAGE);
    return 2;
  }
  const { source, namespace = 'tidemark' } = await loadDataSource(given.file);
  try {
    await openDataSource(source);
    const isDone = await given.action(
      new CacheTriggers(source, given.namespace ?? namespace),
      print,
    );
    return isDone ? 0 : 1;
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}

function parse(args: readonly string[]) {
  try {
    const flag = { type: 'boolean' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        print: flag,
        check: flag,
        install: flag,
        remove: flag,
        dataSource: { type: 'string', short: 'd' },
        namespace: { type: 'string' },
      },
    });
    const { dataSource: file, namespace, ...flags } = values;
    const [name = '', ...others] = Object.keys(flags);
    const action = ACTIONS[name];
    const isOne = positionals.length === 1 && positionals[0] === 'triggers' && others.length === 0;
    return isOne && action && file !== undefined ? { action, file, namespace } : undefined;
  } catch {
    return undefined;
  }
}
