/** Answers of the other instances when the one that fills an entry is killed meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { RunningContender } from '../contenders/running.js';
import { ownsConnection } from '../harness/connection-owner.js';

const WAIT_LIMIT_MS = 15_000;
/** For others that would ask too, after the first has. */
const SETTLE_MS = 500;

interface Waiting {
  /** Of the backend, and when its statement began: one statement. */
  readonly statement: string;
  readonly port: number;
}

/**
 * Holds the table's lock, so that the fill for a new key waits in the database; kills the
 * instance it came from, and sees what the others send. All clients of the others must be answered.
 * @returns the most statements that one instance sent.
 */
export async function statementsWhenFillDies(
  instances: readonly RunningContender[],
  clients: number,
  time: number,
): Promise<number> {
  const [first] = instances;
  if (!first) throw new RangeError('No instance');
  const path = `/users?limit=900&after=${time}`;
  const holder = new pg.Client({ connectionString: first.place.databaseUrl });
  // In a transaction, pg_stat_activity goes on showing what it showed first.
  const watcher = new pg.Client({ connectionString: first.place.databaseUrl });
  await Promise.all([holder.connect(), watcher.connect()]);
  const seen = new Map<RunningContender, Set<string>>(instances.map((one) => [one, new Set()]));
  const look = async (): Promise<readonly RunningContender[]> => {
    const found = await waiting(watcher);
    return found.flatMap(({ statement, port }) => {
      const owner = instances.find((one) => isOwner(one, port));
      if (owner) seen.get(owner)?.add(statement);
      return owner ?? [];
    });
  };
  try {
    await holder.query('BEGIN; LOCK TABLE "users" IN ACCESS EXCLUSIVE MODE');
    const asked = Array.from({ length: clients }, (_, client) => {
      const one = instances[client % instances.length] ?? first;
      return {
        one,
        answered: one.askAll([path], 1).then(
          () => true,
          () => false,
        ),
      };
    });
    const [victim] = await until(
      async () => (await look()).slice(0, 1),
      'No fill has come to the database',
    );
    await victim?.kill();
    await until(
      async () => (await look()).filter((one) => one !== victim),
      'No other instance has taken the fill over',
    );
    const endMs = performance.now() + SETTLE_MS;
    while (performance.now() < endMs) {
      await look();
      await delay(20);
    }
    await holder.query('COMMIT');
    for (const { one, answered } of asked) {
      if (one !== victim && !(await answered)) {
        throw new Error('A client was not answered after another instance had died');
      }
    }
    await victim?.restart();
  } finally {
    await Promise.all([holder.end(), watcher.end()]);
  }
  return Math.max(...[...seen.values()].map(({ size }) => size));
}

async function waiting(client: pg.Client): Promise<Waiting[]> {
  const { rows } = await client.query<Waiting>(
    `SELECT pid || ' ' || query_start AS statement, client_port AS port
     FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
       AND query ~* '^\\s*select\\y' AND query LIKE '%FROM "users"%'`,
  );
  return rows;
}

function isOwner({ pid, place }: RunningContender, port: number): boolean {
  const serverPort = Number(new URL(place.databaseUrl).port);
  try {
    return ownsConnection(pid, port, serverPort);
  } catch {
    // It has ended.
    return false;
  }
}

async function until<T>(
  look: () => Promise<readonly T[]>,
  otherwise: string,
): Promise<readonly T[]> {
  const endMs = performance.now() + WAIT_LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found.length > 0) return found;
    if (performance.now() > endMs) throw new Error(otherwise);
    await delay(20);
  }
}
