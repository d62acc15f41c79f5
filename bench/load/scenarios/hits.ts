/** The same answer again and again: 10 and 1000 rows, without compression. */
import {
  bentocache,
  cacheManagerMemory,
  cacheManagerRedis,
  edgeConstant,
  fastifyConstant,
  nestConstant,
  nestConstantIntercepted,
  nestConstantPinging,
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
import { ratio, type Measures, type Reached } from '../report/targets.js';
import { redisRoundTripMs } from '../stand/redis-ping.js';
import { checkAnswers } from './checks.js';
import { foundOf, measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import { ofBoth } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const ROWS = [10, 1000] as const;
const CONNECTIONS = [1, 10, 100] as const;
const BUSY = 100;

export const hits: Scenario = {
  id: 'hits',
  contenders: [
    noCache,
    seedDecorator,
    typeormCache,
    cacheManagerMemory,
    cacheManagerRedis,
    bentocache,
    tidemark,
    tidemarkModules,
    tidemarkInterceptor,
    tidemarkL2,
    tidemarkInProcess,
    nestConstant,
    nestConstantIntercepted,
    nestConstantPinging,
    edgeConstant,
    fastifyConstant,
  ],
  run,
};

interface Race {
  readonly rows: number;
  readonly found: readonly Measured[];
  /** Of its rounds. */
  readonly roundTripMs: number;
}

async function run(bench: Bench): Promise<Findings> {
  const races: Race[] = [];
  for (const rows of ROWS) races.push(await race(bench, rows));
  const foundWith = (wanted: number): readonly Measured[] =>
    races.find(({ rows }) => rows === wanted)?.found ?? [];
  return {
    tables: races.map(({ rows, found, roundTripMs }) => ({
      title: `Hits, ${rows} rows (a PING of Redis in a loop takes ${shortNumber(roundTripMs)} ms)`,
      columns: MEASURE_COLUMNS,
      rows: found.map(measureRow),
    })),
    reached: {
      ...reachedWithMany(foundWith(1000)),
      ...reachedWithFew(foundWith(10)),
      'one-connection': ofBoth((id) => tripsAlone(races, id)),
    },
    bars: races.map(({ rows, found }) => ({
      title: `${rows} rows`,
      bars: found
        .filter(({ connections }) => connections === BUSY)
        .map((one) => ({
          label: one.running.contender.title,
          isOurs: one.running.contender.source === 'tidemark',
          ...one.perSecond,
        })),
    })),
  };
}

function race(bench: Bench, rows: number): Promise<Race> {
  const contenders = bench.wanted(hits.contenders);
  const path = `/users?limit=${rows}`;
  return together(contenders, bench.servers, { rows }, async (running) => {
    for (const one of running) await checkAnswers(one, path, rows);
    const roundTripsMs: number[] = [];
    const found = await measure(bench, {
      title: `hits, ${rows} rows`,
      running,
      connections: CONNECTIONS,
      load: () => ({ paths: [path] }),
      onRound: async () => {
        roundTripsMs.push(await redisRoundTripMs(bench.servers.redis.url));
      },
    });
    return { rows, found, roundTripMs: spreadOf(roundTripsMs).median };
  });
}

function reachedWithMany(many: readonly Measured[]): Reached {
  const beside = (rate: number | undefined): Measures =>
    ofBoth((id) => ratio(perSecond(many, id), rate));
  const seed = perSecond(many, seedDecorator.id);
  return {
    'l1-1000-intercepted': beside(perSecond(many, nestConstantIntercepted.id)),
    'l1-1000-constant': beside(perSecond(many, nestConstant.id)),
    'l1-1000-shared-peer': beside(best(many, 'shared cache')),
    'l2-1000-seed': { service: ratio(perSecond(many, tidemarkL2.id), seed) },
  };
}

function reachedWithFew(few: readonly Measured[]): Reached {
  const beside = (rate: number | undefined): Measures =>
    ofBoth((id) => ratio(perSecond(few, id), rate));
  return {
    'l1-10-intercepted': beside(perSecond(few, nestConstantIntercepted.id)),
    'l1-10-memory-peer': beside(best(few, 'process memory')),
  };
}

/**
 * Beyond the constant at one connection; the worse of the two sizes counts. A round trip is one that a
 * request waits for.
 */
function tripsAlone(races: readonly Race[], id: string): number | undefined {
  const beyond = races.flatMap(({ found }) => {
    const p50Ms = (of: string): number => foundOf(found, of, 1)?.p50Ms.median ?? NaN;
    const constantMs = p50Ms(nestConstant.id);
    const trips = (p50Ms(id) - constantMs) / (p50Ms(nestConstantPinging.id) - constantMs);
    return Number.isNaN(trips) ? [] : [trips];
  });
  return beyond.length === 0 ? undefined : Math.max(...beyond);
}

function perSecond(found: readonly Measured[], id: string): number | undefined {
  return foundOf(found, id, BUSY)?.perSecond.median;
}

function best(
  found: readonly Measured[],
  source: 'shared cache' | 'process memory',
): number | undefined {
  const rates = found
    .filter((one) => one.connections === BUSY && one.running.contender.source === source)
    .map((one) => one.perSecond.median);
  return rates.length === 0 ? undefined : Math.max(...rates);
}
