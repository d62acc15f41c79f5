/** Writes by `repository.save()` of a loaded entity, in the transaction that TypeORM opens for it. */
import type { Contender } from '../contenders/contender.js';
import { noCache, tidemarkModules } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { expectPagesEnded, storePages } from './kept-pages.js';
import { measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import { besides } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

/** Few, so that all are loaded once the contenders are warm. */
const WRITTEN = 200;
const PATHS = Array.from({ length: WRITTEN }, (_, i) => `/users/${i + 1}/email`);

const compared = [noCache, tidemarkModules] as const;

export const save: Scenario = { id: 'save', contenders: compared, compared, run };

async function run(bench: Bench): Promise<Findings> {
  const found = await saveRace(bench, bench.wanted(save), bench.options.table ? [1] : [1, 10]);
  return {
    tables: [
      {
        title: '`repository.save()` of a loaded entity',
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: { save: besides('p50Ms', found, noCache.id, 1) },
  };
}

export function saveRace(
  bench: Bench,
  contenders: readonly Contender[],
  connections: readonly number[],
): Promise<Measured[]> {
  return together(contenders, bench.servers, { rows: 10 }, async (running) => {
    for (const one of running) await expectPagesEnded(one, () => check(bench, one));
    return measure(bench, {
      title: 'save',
      running,
      connections,
      load: () => ({ paths: PATHS, method: 'PUT' }),
      onRound: () => storePages(running),
    });
  });
}

/** @throws Error when the database does not hold what the write has answered. */
async function check({ servers }: Bench, running: RunningContender): Promise<void> {
  const response = await running.ask('/users/5/email', { method: 'PUT' });
  const answer = (await response.json()) as { email?: string };
  const sql = 'SELECT "email" FROM "users" WHERE "id" = 5';
  const [row] = await servers.postgres.psql<{ email: string }>(sql, running.place.database);
  if (response.status !== 200 || !row || row.email !== answer.email) {
    throw new Error(`${running.contender.title} answers a save with ${response.status}`);
  }
}
