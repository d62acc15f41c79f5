/** Whether a write takes longer where more answers are stored, or more regions are known. */
import { Redis } from 'ioredis';
import { tidemark } from '../contenders/index.js';
import type { Contender } from '../contenders/contender.js';
import { RunningContender } from '../contenders/running.js';
import { measure, MEASURE_COLUMNS, measureRow } from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';

const L1 = '512MB';
const WRITTEN = 1_000;
const HEADERS = { 'content-type': 'application/json' };
const BODY = JSON.stringify({ email: 'changed@example.com' });

interface Case {
  readonly contender: Contender;
  readonly entries: number;
  readonly regions: number;
}

export const entries: Scenario = { id: 'entries', contenders: [tidemark], run };

async function run(bench: Bench): Promise<Findings> {
  const { quick } = bench.options;
  const many = quick ? 1_000 : 100_000;
  const regions = quick ? 500 : 10_000;
  const few = caseOf(10, 1);
  const most = caseOf(many, 1);
  const one = caseOf(regions, 1);
  const each = caseOf(regions, regions);
  const paths = Array.from({ length: WRITTEN }, (_, i) => `/users/${i + 1}`);
  const found = await withCases(bench, [few, most, one, each], (running) =>
    measure(bench, {
      title: 'entries',
      running,
      connections: [1],
      load: () => ({ paths, method: 'PATCH', headers: HEADERS, body: BODY }),
    }),
  );
  return {
    tables: [
      {
        title: 'PATCH of one user, by what is stored',
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: {},
  };
}

function caseOf(count: number, regions: number): Case {
  const title = `${count.toLocaleString('en-US')} entries, ${regions.toLocaleString('en-US')} ${regions === 1 ? 'region' : 'regions'}`;
  return { contender: { ...tidemark, id: title, title }, entries: count, regions };
}

async function withCases<T>(
  bench: Bench,
  cases: readonly Case[],
  work: (running: readonly RunningContender[]) => Promise<T>,
): Promise<T> {
  const running: RunningContender[] = [];
  try {
    for (const one of cases) {
      bench.progress(`entries: storing ${one.contender.title}`);
      running.push(await start(bench, one));
    }
    return await work(running);
  } finally {
    for (const one of running) await one.stop();
  }
}

async function start({ servers }: Bench, one: Case): Promise<RunningContender> {
  const running = await RunningContender.start(one.contender, servers, {
    rows: 10,
    env: { CACHE_L1_BYTES: L1 },
    prepare: ({ database }) =>
      servers.postgres.psql(
        `UPDATE "users" SET "region" = 'R' || ("id" - 1) % ${one.regions}`,
        database,
      ),
  });
  await running.askAll(Array.from({ length: one.entries }, (_, key) => pathOf(key, one.regions)));
  await expectStored(running, one.entries);
  return running;
}

/** @throws Error when Redis does not hold them all. */
async function expectStored({ place, contender }: RunningContender, count: number): Promise<void> {
  const redis = new Redis(place.redisUrl);
  try {
    const keys = await redis.dbsize();
    if (keys < count) throw new Error(`${contender.title}: Redis holds ${keys} keys`);
  } finally {
    redis.disconnect();
  }
}

/** Every key is another entry; each of the regions has some. */
function pathOf(key: number, regions: number): string {
  const starts = 20_000;
  const page = `limit=${1 + Math.floor(key / starts)}&after=${key % starts}`;
  return `/users?${page}&region=R${key % regions}`;
}
