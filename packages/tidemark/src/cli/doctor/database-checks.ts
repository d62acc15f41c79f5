/** PostgreSQL: its version, the way to it, triggers, and the rights of the role. */
import type { ClientConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { grantStatements } from '../../postgres/capture/capture-sql.js';
import { OutboxObjects } from '../../postgres/capture/outbox-objects.js';
import { OutboxSession } from '../../postgres/capture/outbox-session.js';
import { askPrimary } from '../../typeorm/database/own-question.js';
import {
  PooledConnectionError,
  requireDirectConnection,
} from '../../typeorm/database/direct-connection.js';
import { CacheTriggers } from '../../typeorm/triggers/cache-triggers.js';
import type { TriggerState } from '../../typeorm/triggers/trigger-states.js';
import { check, type Check } from './check.js';

const MIN_VERSION = 150_000;
/** An older row of the outbox means that it is not relayed. */
const LATE_MS = 10_000;

const OF_STATE: Readonly<Record<TriggerState['state'], Omit<Check, 'subject'>>> = {
  installed: { level: 'ok', text: 'installed' },
  missing: {
    level: 'FAIL',
    text: 'missing: each write counts for the whole table, and writes from outside are not seen. Run tidemark triggers --install',
  },
  outdated: {
    level: 'warn',
    text: 'of other columns or of another release: each write counts for the whole table. Run tidemark triggers --install',
  },
  disabled: {
    level: 'FAIL',
    text: 'disabled: writes from outside are not seen. Run tidemark triggers --install',
  },
};

/** @param source connected */
export async function databaseChecks(
  source: DataSource,
  namespace: string,
): Promise<readonly Check[]> {
  const groups: [subject: string, () => Promise<readonly Check[]>][] = [
    ['pooler', () => poolerChecks(source)],
    ['postgres', () => serverChecks(source)],
    ['triggers', () => triggerChecks(source, namespace)],
    ['outbox', () => outboxChecks(source, new OutboxObjects(namespace))],
  ];
  const checks: Check[] = [];
  for (const [subject, run] of groups) {
    try {
      checks.push(...(await run()));
    } catch (error) {
      checks.push(check('FAIL', subject, (error as Error).message));
    }
  }
  return checks;
}

async function poolerChecks(source: DataSource): Promise<readonly Check[]> {
  try {
    await requireDirectConnection(source);
    return [check('ok', 'pooler', 'none: connections lead to PostgreSQL itself')];
  } catch (error) {
    if (!(error instanceof PooledConnectionError)) throw error;
    return [check('FAIL', 'pooler', error.message)];
  }
}

async function serverChecks(source: DataSource): Promise<readonly Check[]> {
  const [row = {}] = await askPrimary(
    source,
    `SELECT pg_catalog.current_setting('server_version') AS version,
            pg_catalog.current_setting('server_version_num')::int AS number,
            pg_catalog.pg_is_in_recovery() AS "isStandby",
            (SELECT setting::int8 FROM pg_catalog.pg_settings
              WHERE name = 'idle_in_transaction_session_timeout')::float8 AS "idleMs"`,
  );
  const { number, isStandby, idleMs } = row;
  const version = String(row['version']);
  const isOld = Number(number) < MIN_VERSION;
  return [
    isOld
      ? check('FAIL', 'postgres', `${version} is too old: use PostgreSQL 15 or later`)
      : check('ok', 'postgres', version),
    isStandby === true
      ? check('FAIL', 'primary', 'the server is a standby: give the address of the primary')
      : check('ok', 'primary', 'the server takes writes'),
    Number(idleMs) > 0
      ? check('ok', 'idle_in_transaction_session_timeout', `${Number(idleMs)} ms`)
      : check(
          'warn',
          'idle_in_transaction_session_timeout',
          '0: a transaction that is left open after a write keeps its regions uncached. ' +
            "Run ALTER ROLE <role of the service> SET idle_in_transaction_session_timeout = '1min'",
        ),
  ];
}

async function triggerChecks(source: DataSource, namespace: string): Promise<readonly Check[]> {
  const states = await new CacheTriggers(source, namespace).check();
  if (states.length > 0) {
    return states.map(({ table, state }) => ({
      subject: `triggers of ${table}`,
      ...OF_STATE[state],
    }));
  }
  const text = 'no table of an entity was found: check the entities, the database and search_path';
  return [check('warn', 'triggers', text)];
}

async function outboxChecks(source: DataSource, objects: OutboxObjects): Promise<readonly Check[]> {
  const session = await OutboxSession.open(connectionOptionsOf(source), objects);
  try {
    const { role, exists, isUsable } = await session.access();
    if (!exists) {
      const text = `there is none in ${objects.schema}: run tidemark triggers --install`;
      return [check('FAIL', 'outbox', text)];
    }
    if (!isUsable) {
      const sql = grantStatements(role, objects).join('; ');
      return [
        check('FAIL', 'outbox', `the role ${role} may not use it. Let its owner run: ${sql};`),
      ];
    }
    const { rows, ageMs } = await session.backlog();
    const state = `${rows} rows, the oldest ${(ageMs / 1_000).toFixed(1)} s old`;
    return [
      ageMs > LATE_MS
        ? check('warn', 'outbox', `${state}: no application relays it, or not fast enough`)
        : check('ok', 'outbox', `${objects.schema}, ${state}`),
    ];
  } finally {
    await session.close();
  }
}

/** The options of the driver, which its types lack. */
function connectionOptionsOf({ driver }: DataSource): ClientConfig {
  const { master } = driver as unknown as { readonly master: { readonly options: ClientConfig } };
  return master.options;
}
