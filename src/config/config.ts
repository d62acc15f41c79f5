import { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config.errors.js';
import { variables, type LOG_LEVELS, type WRITE_POLICIES } from './variables.js';

/** Users filled into an empty embedded database. */
const EMBEDDED_SEED_USERS = 10_000;

export type LogLevel = (typeof LOG_LEVELS)[number];
export type WritePolicy = (typeof WRITE_POLICIES)[number];

/** What the environment says, checked once at start and frozen. */
export interface Config {
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  /**
   * Address to listen on. All addresses by default, because a container that listens on its
   * loopback alone cannot be reached; 127.0.0.1 keeps a developer's machine to itself.
   */
  readonly host: string;
  /** For how long a service with traffic goes on listening when it is told to stop. */
  readonly shutdownDrainMs: number;
  /** PostgreSQL to use; `undefined`: the service runs its own under `.data/`. Secret. */
  readonly databaseUrl: string | undefined;
  /** Most connections to the database at once. */
  readonly databasePool: number;
  /** Longest time that a statement of a request may take; 0: any time. */
  readonly databaseTimeoutMs: number;
  /**
   * Most requests that may wait for a connection to the database; the next ones get 503. From half of them on, so do
   * most of several hundred requests that come together.
   */
  readonly databaseQueue: number;
  /** Redis shared by all instances; `undefined`: the cache lives in this process alone. Secret. */
  readonly redisUrl: string | undefined;
  /** A Redis command that takes longer counts as a failure. */
  readonly redisTimeoutMs: number;
  /** Time to live of a cached answer. It bounds memory, not staleness. */
  readonly cacheTtlMs: number;
  /** Share of the time to live by which it varies at random, 0 to 0.5. */
  readonly cacheTtlJitter: number;
  /** For how long versions once read may be reused; 0: no answer is ever stale. */
  readonly cacheMaxStalenessMs: number;
  /** Memory for cached answers in this process. */
  readonly cacheL1Bytes: number;
  /** Share of the hits, 0 to 1, whose query is built all the same and compared; 1: a difference fails. */
  readonly cacheVerifyPlans: number;
  /** What becomes of a write that Redis cannot be told of: it commits, or it is refused. */
  readonly cacheWritePolicy: WritePolicy;
  /** Keeps services that share a Redis apart. */
  readonly cacheNamespace: string;
  /** Part of each key, so that releases read none of each other's answers; `undefined`: the version in package.json. */
  readonly cacheRelease: string | undefined;
  /** What cached answers in Redis are sealed with; the first seals, all are accepted. Secret. */
  readonly cacheEntrySecrets: readonly string[] | undefined;
  /** Users filled into an empty table at start; 0: none. */
  readonly seedUsers: number;
  readonly logLevel: LogLevel;
}

/** The names of all environment variables that the service reads. */
export const configVariables: readonly string[] = Object.keys(variables);

const environment = z.object(variables);

/**
 * Reads the configuration out of an environment. A variable that is empty counts as absent, as
 * container files leave them.
 * @throws ConfigError naming every variable at fault and its remedy.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = configVariables
    .map((name) => [name, env[name]?.trim()] as const)
    .filter(([, value]) => value !== undefined && value !== '');
  const result = environment.safeParse(Object.fromEntries(given));
  if (!result.success) throw new ConfigError(result.error.issues.map(toProblem));
  const value = result.data;
  return Object.freeze({
    port: value.PORT,
    host: value.HOST,
    shutdownDrainMs: value.SHUTDOWN_DRAIN_MS,
    databaseUrl: value.DATABASE_URL,
    databasePool: value.DATABASE_POOL,
    databaseTimeoutMs: value.DATABASE_TIMEOUT_MS,
    databaseQueue: value.DATABASE_QUEUE,
    redisUrl: value.REDIS_URL,
    redisTimeoutMs: value.REDIS_TIMEOUT_MS,
    cacheTtlMs: value.CACHE_TTL * 1000,
    cacheTtlJitter: value.CACHE_TTL_JITTER,
    cacheMaxStalenessMs: value.CACHE_MAX_STALENESS_MS,
    cacheL1Bytes: value.CACHE_L1_BYTES,
    cacheVerifyPlans: value.CACHE_VERIFY_PLANS,
    cacheWritePolicy: value.CACHE_WRITE_POLICY,
    cacheNamespace: value.CACHE_NAMESPACE,
    cacheRelease: value.CACHE_RELEASE,
    cacheEntrySecrets: value.CACHE_ENTRY_SECRET,
    seedUsers: value.SEED_USERS ?? (value.DATABASE_URL === undefined ? EMBEDDED_SEED_USERS : 0),
    logLevel: value.LOG_LEVEL,
  });
}

/** The messages of variables.ts read `problem: remedy`. */
function toProblem(issue: z.core.$ZodIssue): ConfigProblem {
  const [problem = issue.message, ...remedy] = issue.message.split(': ');
  return {
    variable: String(issue.path[0]),
    problem,
    remedy: remedy.join(': ') || 'see .env.example',
  };
}
