/** Statements that reach the database when an answer that 100 clients want has just been ended. */
import { tidemark } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { spreadOf } from '../report/spread.js';
import { shortNumber } from '../report/table.js';
import { statementsWhenFillDies } from './dead-fill.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { withInstances } from './together.js';

const INSTANCES = 3;
const CLIENTS = 100;
const PATH = '/users?limit=1000';
const WRITE = {
  method: 'PATCH',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: 'changed@example.com' }),
};

export const stampede: Scenario = { id: 'stampede', contenders: [tidemark], run };

async function run(bench: Bench): Promise<Findings> {
  const times = bench.options.quick ? 5 : 10 * bench.options.rounds;
  const deaths = bench.options.quick ? 1 : bench.options.rounds;
  return withInstances(bench, INSTANCES, async (instances) => {
    const counts: number[] = [];
    for (let time = 0; time < times; time += 1) counts.push(await statements(instances));
    bench.progress(`stampede: ${times} invalidations`);
    const afterDeath: number[] = [];
    for (let time = 0; time < deaths; time += 1) {
      afterDeath.push(await statementsWhenFillDies(instances, CLIENTS, time));
      bench.progress(`stampede: a fill has died, ${afterDeath.at(-1)} statements an instance`);
    }
    return {
      tables: [
        {
          title: `${CLIENTS} clients want one key of ${INSTANCES} instances`,
          columns: ['', 'times', 'median', 'most'],
          rows: [
            row('statements for the key after a write', counts),
            row('statements of one instance when the one that fills is killed', afterDeath),
          ],
        },
      ],
      reached: {},
    };
  });
}

async function statements(instances: readonly RunningContender[]): Promise<number> {
  const [first] = instances;
  if (!first) throw new RangeError('No instance');
  // Every instance holds the answer that is about to end.
  for (const one of instances) await one.askAll([PATH, PATH], 1);
  const written = await first.ask('/users/7', WRITE);
  await written.arrayBuffer();
  const before = await first.statements();
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) =>
      (instances[client % instances.length] ?? first).askAll([PATH], 1),
    ),
  );
  const after = await first.statements();
  return after.reads - before.reads;
}

function row(title: string, counts: readonly number[]): string[] {
  const { median, most } = spreadOf(counts);
  return [title, String(counts.length), shortNumber(median), shortNumber(most)];
}
