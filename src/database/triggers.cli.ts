/** `npm run cache:triggers`: manages the triggers that report writes from outside the service to the cache. */
import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { CacheTriggers } from '@tidemark/nestjs';
import type { Config } from '../config/config.js';
import { User } from '../users/user.entity.js';
import { runCommand } from './command.js';
import { connect } from './connect.js';
import { dataSourceOptions } from './data-source.js';

const USAGE = `Usage: npm run cache:triggers -- --install | --remove | --check | --print
  --install  install the triggers where they are missing, outdated or disabled
  --remove   drop the triggers, and the outbox of CACHE_NAMESPACE with its rows
  --check    report the state of each table and the length of each outbox; the exit
             code is 1 if there is something to do
  --print    print the SQL, for a role that may run it`;

/** Older rows mean that no service reads the outbox any more. */
const FORGOTTEN_SECONDS = 3_600;

type Command = (triggers: CacheTriggers) => Promise<number>;

const commands: Readonly<Record<string, Command>> = {
  install: async (triggers) => {
    const tables = await triggers.install();
    say(tables.length > 0 ? `Installed on ${tables.join(', ')}.` : 'All were installed.');
    return 0;
  },
  remove: async (triggers) => {
    await triggers.remove();
    say('Removed.');
    return 0;
  },
  check: async (triggers) => {
    const tables = await triggers.check();
    for (const { table, state } of tables) say(`${state.padEnd(9)}  ${table}`);
    const outboxes = await triggers.outboxes();
    for (const { schema, rows, ageSeconds } of outboxes) {
      say(`${schema}: ${rows} rows, the oldest ${ageSeconds.toFixed(1)} s old`);
    }
    const wanting = tables.filter(({ state }) => state !== 'installed');
    const forgotten = outboxes.filter(({ ageSeconds }) => ageSeconds > FORGOTTEN_SECONDS);
    if (wanting.length > 0) say('Run with --install to repair the triggers.');
    for (const { schema } of forgotten) {
      say(
        `No service reads ${schema}: set CACHE_NAMESPACE to the part after tidemark_, and run with --remove.`,
      );
    }
    return wanting.length > 0 || forgotten.length > 0 ? 1 : 0;
  },
  print: async (triggers) => {
    for (const sql of await triggers.statements()) say(`${sql};\n`);
    return 0;
  },
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function parseCommand(): Command | undefined {
  try {
    const flag = { type: 'boolean' } as const;
    const options: Record<string, typeof flag> = {};
    for (const name of Object.keys(commands)) options[name] = flag;
    const { values } = parseArgs({ options });
    const [name = '', ...others] = Object.keys(values);
    return others.length === 0 ? commands[name] : undefined;
  } catch {
    return undefined;
  }
}

async function run(command: Command, config: Config): Promise<number> {
  const { databaseUrl: url = '', cacheNamespace } = config;
  const options = { ...dataSourceOptions({ url, poolSize: 2 }), entities: [User] };
  const source = await connect(new DataSource(options));
  try {
    return await command(new CacheTriggers(source, cacheNamespace));
  } finally {
    await source.destroy();
  }
}

const command = parseCommand();
await runCommand(USAGE, command && ((config) => run(command, config)));
