/** The same answer again and again: 10 and 1000 rows, without compression. */
import type { Contender } from '../contenders/contender.js';
import {
  bentocache,
  cacheManagerMemory,
  cacheManagerRedis,
  edgeConstant,
  fastifyConstant,
  nestConstant,
  nestConstantIntercepted,
  noCache,
  seedDecorator,
  tidemark,
  tidemarkInProcess,
  tidemarkInterceptor,
  tidemarkL2,
  tidemarkModules,
  typeormCache,
} from '../contenders/index.js';
import { spreadOf } from '../report/spread.js';
import { shortNumber } from '../report/table.js';
import { redisRoundTripMs } from '../harness/redis-ping.js';
import { checkAnswers } from './checks.js';
import { measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import { besides } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const BUSY = 100;
const CONNECTIONS = [1, 10, BUSY] as const;

const compared = [
  cacheManagerRedis,
  bentocache,
  tidemark,
  tidemarkModules,
  nestConstant,
  nestConstantIntercepted,
] as const;

export const hits: Scenario = {
  id: 'hits',
  contenders: [
    noCache,
    seedDecorator,
    typeormCache,
    cacheManagerMemory,
    ...compared,
    tidemarkInterceptor,
    tidemarkL2,
    tidemarkInProcess,
    edgeConstant,
    fastifyConstant,
  ],
  compared,
  run,
};

interface Race {
  readonly rows: number;
  readonly found: readonly Measured[];
  /** Of its rounds. */
  readonly roundTripMs: number;
}

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(hits);
  const connections = bench.options.table ? [BUSY] : CONNECTIONS;
  const few = await hitsRace(bench, contenders, 10, connections);
  const many = await hitsRace(bench, contenders, 1000, connections);
  return {
    tables: [few, many].map(({ rows, found, roundTripMs }) => ({
      title: `Hits, ${rows} rows (a PING of Redis in a loop takes ${shortNumber(roundTripMs)} ms)`,
      columns: MEASURE_COLUMNS,
      rows: found.map(measureRow),
    })),
    reached: {
      'hit-1000-intercepted': besides('perSecond', many.found, nestConstantIntercepted.id, BUSY),
      'hit-1000-constant': besides('perSecond', many.found, nestConstant.id, BUSY),
      'hit-10-intercepted': besides('perSecond', few.found, nestConstantIntercepted.id, BUSY),
    },
    bars: [few, many].map(({ rows, found }) => ({
      title: `${rows} rows`,
      bars: found
        .filter((one) => one.connections === BUSY)
        .map((one) => ({
          label: one.running.contender.title,
          isOurs: one.running.contender.source === 'tidemark',
          ...one.perSecond,
        })),
    })),
  };
}

export function hitsRace(
  bench: Bench,
  contenders: readonly Contender[],
  rows: number,
  connections: readonly number[],
): Promise<Race> {
  const path = `/users?limit=${rows}`;
  return together(contenders, bench.servers, { rows }, async (running) => {
    for (const one of running) await checkAnswers(one, path, rows);
    const roundTripsMs: number[] = [];
    const found = await measure(bench, {
      title: `hits, ${rows} rows`,
      running,
      connections,
      load: () => ({ paths: [path] }),
      onRound: async () => {
        roundTripsMs.push(await redisRoundTripMs(bench.servers.redis.url));
      },
    });
    return { rows, found, roundTripMs: spreadOf(roundTripsMs).median };
  });
}
