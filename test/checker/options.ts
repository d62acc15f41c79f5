/** Options of a run: its length, load and faults. */
import { parseArgs } from 'node:util';
import { faultsOn } from './faults/faults.js';
import type { FaultPace } from './faults/fault-schedule.js';

export type WritePolicy = 'commit' | 'refuse';

/** How the Redis under the instances is made up. */
export const REDIS_KINDS = ['standalone', 'sentinel', 'cluster'] as const;
export type RedisKind = (typeof REDIS_KINDS)[number];

export interface CheckOptions {
  /** Length of the load, in seconds. */
  readonly seconds: number;
  /** `quick`: only those that are over within seconds; `own`: only those that no other kind of Redis has. */
  readonly faults: 'none' | 'quick' | 'own' | 'all';
  /** Part of the names of the faults that are injected; empty: all of them. */
  readonly only: string;
  readonly redis: RedisKind;
  readonly instances: number;
  readonly writers: number;
  /** Connections that read, spread over the instances. */
  readonly readers: number;
  /** Clients that write past the service, to the database itself. */
  readonly outside: number;
  readonly seed: number;
  readonly policy: WritePolicy;
  /** Longest pause of a writer between two writes, in milliseconds. */
  readonly writePauseMs: number;
  readonly faultPace: FaultPace;
}

export class UsageError extends Error {}

export const USAGE = `Usage: npm run consistency -- [options]
  --seconds N        length of the load (30)
  --faults           break instances, Redis, PostgreSQL and clients meanwhile
  --only TEXT        only faults whose name contains it (all)
  --redis KIND       Redis under the instances: standalone, sentinel or cluster (standalone)
  --instances N      instances of the service (3)
  --writers N        clients that write, each to a separate territory (4)
  --readers N        connections that read (24)
  --outside N        clients that write past the service, to the database (1)
  --write-pause N    longest pause of a writer between two writes, in milliseconds (60)
  --fault-pause N    longest pause between two faults, in milliseconds (2000)
  --policy P         CACHE_WRITE_POLICY of the instances: commit or refuse
                     (refuse with --faults, else commit)
  --seed N           decides the writes, the reads and the faults (a new one each run)`;

/** @throws UsageError with the wrong argument and the remedy. */
export function parseOptions(args: readonly string[], newSeed: () => number): CheckOptions {
  const values = read(args);
  const hasFaults = values.faults === true;
  const redis = redisOf(values.redis);
  return {
    seconds: numberOf('seconds', values.seconds, 30, 1, 86_400),
    faults: hasFaults ? 'all' : 'none',
    only: onlyOf(values.only, redis),
    redis,
    instances: numberOf('instances', values.instances, 3, 1, 10),
    writers: numberOf('writers', values.writers, 4, 0, 99),
    readers: numberOf('readers', values.readers, 24, 0, 1_000),
    outside: numberOf('outside', values.outside, 1, 0, 99),
    seed: numberOf('seed', values.seed, newSeed(), 0, 4_294_967_295),
    policy: policyOf(values.policy, hasFaults),
    writePauseMs: numberOf('write-pause', values['write-pause'], 60, 0, 60_000),
    faultPace: { pauseMs: numberOf('fault-pause', values['fault-pause'], 2_000, 0, 600_000) },
  };
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: text,
        faults: { type: 'boolean' },
        only: text,
        redis: text,
        instances: text,
        writers: text,
        readers: text,
        outside: text,
        seed: text,
        policy: text,
        'write-pause': text,
        'fault-pause': text,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function numberOf(
  name: string,
  text: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(
    `--${name} is ${JSON.stringify(text)}: give an integer, ${least} to ${most}.`,
  );
}

function policyOf(text: string | undefined, hasFaults: boolean): WritePolicy {
  if (text === undefined) return hasFaults ? 'refuse' : 'commit';
  if (text === 'commit' || text === 'refuse') return text;
  throw new UsageError(`--policy is ${JSON.stringify(text)}: give commit or refuse.`);
}

function redisOf(text: string = 'standalone'): RedisKind {
  const kind = REDIS_KINDS.find((one) => one === text);
  if (kind) return kind;
  throw new UsageError(
    `--redis is ${JSON.stringify(text)}: give one of ${REDIS_KINDS.join(', ')}.`,
  );
}

function onlyOf(text = '', redis: RedisKind): string {
  const faults = faultsOn(redis);
  if (faults.some(({ kind }) => kind.includes(text))) return text;
  const kinds = faults.map(({ kind }) => `  ${kind}`).join('\n');
  throw new UsageError(
    `--only is ${JSON.stringify(text)}: give a part of one of these, with --redis ${redis}:\n${kinds}`,
  );
}
