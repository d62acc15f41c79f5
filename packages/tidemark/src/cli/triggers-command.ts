/** `tidemark triggers`: manages the triggers of a data source, for migrations and for roles of owners. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { DataSource } from 'typeorm';
import { CacheTriggers } from '../typeorm/triggers/cache-triggers.js';

const USAGE = `Usage: tidemark triggers --print | --check | --install | --remove -d <file> [--namespace <name>]
  --print            print the SQL that installs everything, for the owner of the tables
  --check            print the state of each table; ends with 1 where triggers are missing
  --install          install the triggers where they are missing, outdated or switched off
  --remove           remove the triggers, and the outbox with its rows
  -d, --dataSource   a module that exports the DataSource, as for the commands of TypeORM
  --namespace        the namespace of QueryCacheModule; default: tidemark`;

type Print = (line: string) => void;
type Action = (triggers: CacheTriggers, print: Print) => Promise<boolean>;

const ACTIONS: Readonly<Record<string, Action>> = {
  print: async (triggers, print) => {
    for (const sql of await triggers.statements()) print(`${sql};\n`);
    return true;
  },
  check: async (triggers, print) => {
    const tables = await triggers.check();
    for (const { table, state } of tables) print(`${state.padEnd(9)}  ${table}`);
    return tables.every(({ state }) => state === 'installed');
  },
  install: async (triggers, print) => {
    const tables = await triggers.install();
    print(tables.length > 0 ? `Installed on ${tables.join(', ')}.` : 'All were installed.');
    return true;
  },
  remove: async (triggers, print) => {
    await triggers.remove();
    print('Removed.');
    return true;
  },
};

/** Resolves to the exit code: 0, 1 if tables lack triggers, 2 for wrong arguments. */
export async function triggersCommand(args: readonly string[], print: Print): Promise<number> {
  const given = parse(args);
  if (!given) {
    print(USAGE);
    return 2;
  }
  const source = await loadDataSource(given.file);
  // As TypeORM's commands do: only the chosen action may change the database.
  source.setOptions({ synchronize: false, migrationsRun: false, dropSchema: false });
  await source.initialize();
  try {
    const isDone = await given.action(new CacheTriggers(source, given.namespace), print);
    return isDone ? 0 : 1;
  } finally {
    await source.destroy();
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
        namespace: { type: 'string', default: 'tidemark' },
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

async function loadDataSource(file: string): Promise<DataSource> {
  const loaded = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  // A module of CommonJS has its exports in `default` too.
  const found = [loaded, loaded['default']].flatMap((exported) =>
    isObject(exported) ? [exported, ...Object.values(exported)] : [],
  );
  const source = found.find(isDataSource);
  if (source) return source;
  throw new Error(`${file} exports no DataSource: export one, as for the commands of TypeORM.`);
}

/** The application may have another copy of TypeORM. */
function isDataSource(value: unknown): value is DataSource {
  return isObject(value) && 'entityMetadatas' in value && typeof value['initialize'] === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
