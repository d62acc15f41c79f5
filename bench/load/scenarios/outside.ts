/** From a COMMIT past the service to the version's change in Redis, with the machine at rest. */
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { tidemark } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { percentile } from '../generator/percentile.js';
import { shortNumber } from '../report/table.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const LIMIT_MS = 10_000;
const MAX_PAUSE_MS = 100;

export const outside: Scenario = { id: 'outside', contenders: [tidemark], run };

async function run(bench: Bench): Promise<Findings> {
  const writes = bench.options.quick ? 30 : 60 * bench.options.rounds;
  const { servers } = bench;
  const contenders = bench.wanted(outside);
  const lagsMs = await together(contenders, servers, { rows: 10 }, async (running) => {
    const all: number[] = [];
    for (const one of running) all.push(...(await lags(bench, one, writes)));
    return all.sort((a, b) => a - b);
  });
  return {
    tables: [
      {
        title: 'From COMMIT outside the service to the version in Redis',
        columns: ['writes', 'median ms', 'p99 ms', 'most ms'],
        rows: [
          [
            String(lagsMs.length),
            ...[0.5, 0.99, 1].map((at) => shortNumber(percentile(lagsMs, at))),
          ],
        ],
      },
    ],
    reached: {},
  };
}

async function lags(bench: Bench, running: RunningContender, writes: number): Promise<number[]> {
  // Only regions that an answer depends on have a version.
  for (let time = 0; time < 3; time += 1) {
    await (await running.ask('/users?limit=1000')).body?.cancel();
  }
  const outsideWriter = new pg.Client({ connectionString: running.place.databaseUrl });
  await outsideWriter.connect();
  const redis = new Redis(bench.servers.redis.url);
  const monitor = await redis.monitor();
  const found: number[] = [];
  try {
    for (let write = 0; write < writes; write += 1) {
      // Varied, so that no write coincides with a periodic job each time.
      await delay(10 + Math.random() * MAX_PAUSE_MS);
      found.push(await lag(outsideWriter, monitor, 1 + (write % 1_000)));
    }
    bench.progress(`outside: ${writes} writes seen`);
    return found;
  } finally {
    monitor.disconnect();
    redis.disconnect();
    await outsideWriter.end();
  }
}

/** Counts from the moment COMMIT is sent, so the time that it takes itself is in. */
async function lag(outsideWriter: pg.Client, monitor: Redis, id: number): Promise<number> {
  await outsideWriter.query('BEGIN');
  await outsideWriter.query(`UPDATE "users" SET "email" = 'outside@ex.com' WHERE "id" = ${id}`);
  const changed = versionChange(monitor);
  const startedMs = performance.now();
  await outsideWriter.query('COMMIT');
  return (await changed) - startedMs;
}

/** When the next version of the table of users is set. Rejects where none is for long. */
function versionChange(monitor: Redis): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      monitor.off('monitor', listen);
      reject(new Error('A write outside the service changed no version in Redis'));
    }, LIMIT_MS);
    const listen = (_time: string, command: readonly string[]): void => {
      const [name = '', key = ''] = command;
      if (name.toLowerCase() !== 'set' || !key.includes('users}:v:')) return;
      clearTimeout(timer);
      monitor.off('monitor', listen);
      resolve(performance.now());
    };
    monitor.on('monitor', listen);
  });
}
