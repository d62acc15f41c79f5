import { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config.errors.js';
import { variables, type LOG_LEVELS } from './variables.js';

/** Users filled into an empty embedded database. */
const EMBEDDED_SEED_USERS = 10_000;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says, checked once at start and frozen. */
export type Config = ReturnType<typeof parseConfig>;

/** The names of all environment variables that the service reads. */
export const configVariables: readonly string[] = Object.keys(variables);

const environment = z.object(variables);

/**
 * Reads the configuration out of an environment. A variable that is empty counts as absent, as
 * container files leave them.
 * @throws ConfigError naming every variable at fault and its remedy.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>) {
  const given = configVariables
    .map((name) => [name, env[name]?.trim()] as const)
    .filter(([, value]) => value !== undefined && value !== '');
  const result = environment.safeParse(Object.fromEntries(given));
  if (!result.success) throw new ConfigError(result.error.issues.map(toProblem));
  const value = result.data;
  return Object.freeze({
    /** TCP port; 0 takes a free one. */
    port: value.PORT,
    /**
     * Address to listen on. All addresses by default, because a container that listens on its
     * loopback alone cannot be reached; 127.0.0.1 keeps a developer's machine to itself.
     */
    host: value.HOST,
    /** For how long a service with traffic goes on listening when it is told to stop. */
    shutdownDrainMs: value.SHUTDOWN_DRAIN_MS,
    /** PostgreSQL to use; `undefined`: the service runs its own under `.data/`. Secret. */
    databaseUrl: value.DATABASE_URL,
    /** Most connections to the database at once. */
    databasePool: value.DATABASE_POOL,
    /** Longest time that a statement of a request may take; 0: any time. */
    databaseTimeoutMs: value.DATABASE_TIMEOUT_MS,
    /**
     * Most requests that may wait for a connection to the database; the next ones get 503. From half of them on, so do
     * most of several hundred requests that come together.
     */
    databaseQueue: value.DATABASE_QUEUE,
    /** Redis shared by all instances; `undefined`: the cache lives in this process alone. Secret. */
    redisUrl: value.REDIS_URL,
    /** A Redis command that takes longer counts as a failure. */
    redisTimeoutMs: value.REDIS_TIMEOUT_MS,
    /** Time to live of a cached answer. It bounds memory, not staleness. */
    cacheTtlMs: value.CACHE_TTL * 1000,
    /** Share of the time to live by which it varies at random, 0 to 0.5. */
    cacheTtlJitter: value.CACHE_TTL_JITTER,
    /** For how long versions once read may be reused; 0: no answer is ever stale. */
    cacheMaxStalenessMs: value.CACHE_MAX_STALENESS_MS,
    /** Memory for cached answers in this process. */
    cacheL1Bytes: value.CACHE_L1_BYTES,
    /** Share of the hits, 0 to 1, whose query is built all the same and compared; 1: a difference fails. */
    cacheVerifyPlans: value.CACHE_VERIFY_PLANS,
    /** What becomes of a write that Redis cannot be told of: it commits, or it is refused. */
    cacheWritePolicy: value.CACHE_WRITE_POLICY,
    /** Keeps services that share a Redis apart. */
    cacheNamespace: value.CACHE_NAMESPACE,
    /** Part of each key, so that releases read none of each other's answers; `undefined`: the version in package.json. */
    cacheRelease: value.CACHE_RELEASE,
    /** What cached answers in Redis are sealed with; the first seals, all are accepted. Secret. */
    cacheEntrySecrets: value.CACHE_ENTRY_SECRET,
    /** Users filled into an empty table at start; 0: none. */
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
