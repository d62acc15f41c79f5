/** When the load is over: the database against the histories, then every instance against both. */
import { setTimeout as delay } from 'node:timers/promises';
import { isEqual, type Territory } from './territory.js';
import type { Reader } from './reader.js';
import type { Target } from './checker.js';
import type { RunContext } from './run-context.js';

const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

/** `readers`: one an instance. */
export async function checkEverything(
  context: RunContext,
  readers: readonly Reader[],
): Promise<void> {
  for (const territory of context.territories) await checkRows(context, territory);
  for (const reader of readers) {
    for (const territory of context.territories) {
      for (const target of targetsOf(territory)) await readOnce(context, reader, target);
    }
    await readOnce(context, reader, { kind: 'counts' });
    reader.close();
  }
  context.checker.close();
}

async function checkRows(context: RunContext, territory: Territory): Promise<void> {
  const { system, checker } = context;
  const rows = await persistently(context, () => system.database.rowsOf(territory.regions));
  const isOpen = territory.next !== undefined;
  if (isOpen && isEqual(rows, territory.next ?? [])) {
    checker.addIds(territory, new Map(rows.map(({ id, username }) => [username, id])));
    territory.history.acknowledge();
    territory.settle();
  } else if (!isEqual(rows, territory.rows)) {
    const text = `The database holds rows that no write has left:\n${JSON.stringify(rows)}`;
    context.violated({ territory: territory.name, text });
  }
}

async function readOnce(context: RunContext, reader: Reader, target: Target): Promise<void> {
  await persistently(context, async () => {
    if (!(await reader.read(target))) throw new Error('An instance does not answer');
  });
}

async function persistently<T>({ nowMs }: RunContext, work: () => Promise<T>): Promise<T> {
  const endMs = nowMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (nowMs() > endMs) throw error;
      await delay(PAUSE_MS);
    }
  }
}

function targetsOf(territory: Territory): Target[] {
  const users = [...territory.rows.map(({ id }) => id), ...territory.deleted];
  return [
    ...territory.regions.map((region): Target => ({ kind: 'list', territory, region })),
    ...users.map((id): Target => ({ kind: 'user', id })),
  ];
}
