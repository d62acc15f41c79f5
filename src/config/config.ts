import { z } from 'zod';
import { refuseTls, tlsOf } from './redis-tls.js';
import { variables, type LOG_LEVELS } from './variables.js';

/** Users inserted into an empty embedded database. */
const EMBEDDED_SEED_USERS = 10_000;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The values of the environment, checked once at start and frozen. */
export type Config = ReturnType<typeof parseConfig>;

/** An environment variable with an unusable value. Never contains the value of a secret. */
export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
  readonly remedy: string;
}

/** The environment cannot be used; the error names all faulty variables together. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, problem, remedy }) => `${variable} ${problem}: ${remedy}.`,
    );
    super(lines.join('\n'));
    this.name = 'ConfigError';
  }
}

/** The names of all environment variables that the service reads. */
export const configVariables: readonly string[] = Object.keys(variables);

const environment = z.object(variables).superRefine((value, context) => {
  const refuse = (name: keyof typeof variables, message: string): void =>
    context.addIssue({ code: 'custom', path: [name], message });
  const hasSentinels = value.REDIS_SENTINELS !== undefined;
  if (hasSentinels && value.REDIS_URL !== undefined) {
    refuse('REDIS_SENTINELS', 'is set beside REDIS_URL: remove one of them');
  }
  const other = hasSentinels ? 'REDIS_SENTINELS' : value.REDIS_URL && 'REDIS_URL';
  if (value.REDIS_CLUSTER !== undefined && other !== undefined) {
    refuse('REDIS_CLUSTER', `is set beside ${other}: remove one of them`);
  }
  if (hasSentinels && value.REDIS_SENTINEL_NAME === undefined) {
    refuse(
      'REDIS_SENTINEL_NAME',
      'is absent: set the name of the primary in the configuration of the Sentinels, such as mymaster',
    );
  }
  if (!hasSentinels && value.REDIS_SENTINEL_NAME !== undefined) {
    refuse('REDIS_SENTINELS', 'is absent beside REDIS_SENTINEL_NAME: set host:port,host:port');
  }
  if (value.REDIS_DATABASE !== undefined && value.REDIS_URL !== undefined) {
    refuse(
      'REDIS_DATABASE',
      'is set beside REDIS_URL: remove it, and end REDIS_URL with /<number>',
    );
  }
  if (value.REDIS_DATABASE !== undefined && value.REDIS_CLUSTER !== undefined) {
    refuse(
      'REDIS_DATABASE',
      'is set beside REDIS_CLUSTER: remove it, a cluster has database 0 alone',
    );
  }
  refuseTls(value, refuse);
});

/**
 * Reads the configuration from an environment. An empty variable counts as absent, since container files leave
 * variables empty.
 * @throws ConfigError that names every faulty variable and its remedy.
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
    /** Default: all addresses. A container that listens only on its loopback address cannot be reached. */
    host: value.HOST,
    shutdownDrainMs: value.SHUTDOWN_DRAIN_MS,
    /** `undefined`: the service runs its own PostgreSQL. Secret. */
    databaseUrl: value.DATABASE_URL,
    databasePool: value.DATABASE_POOL,
    /** 0: no limit for statements. */
    databaseTimeoutMs: value.DATABASE_TIMEOUT_MS,
    databaseQueue: value.DATABASE_QUEUE,
    /** Secret. */
    redisUrl: value.REDIS_URL,
    /** Secret. */
    redisSentinels: sentinelsOf(value),
    /** `undefined`: without TLS. Secret. */
    redisTls: tlsOf(value),
    /** `undefined` beside an undefined URL and no Sentinels: the cache is in this process alone. Secret. */
    redisCluster: clusterOf(value),
    redisTimeoutMs: value.REDIS_TIMEOUT_MS,
    cacheMode: value.CACHE_MODE,
    cacheTtlMs: value.CACHE_TTL * 1000,
    cacheTtlJitter: value.CACHE_TTL_JITTER,
    /** 0: no answer is ever stale. */
    cacheMaxStalenessMs: value.CACHE_MAX_STALENESS_MS,
    cacheL1Bytes: value.CACHE_L1_BYTES,
    cacheVerifyPlans: value.CACHE_VERIFY_PLANS,
    cacheAudit: value.CACHE_AUDIT,
    cacheWritePolicy: value.CACHE_WRITE_POLICY,
    cacheNamespace: value.CACHE_NAMESPACE,
    /** `undefined`: the version in package.json. */
    cacheRelease: value.CACHE_RELEASE,
    /** The first secret seals, all are accepted. Secret. */
    cacheEntrySecrets: value.CACHE_ENTRY_SECRET,
    /** `undefined`: the page at /tidemark is closed. Secret. */
    cacheAdminToken: value.CACHE_ADMIN_TOKEN,
    /** Whether the page may invalidate answers and switch the mode. */
    cacheAdminActions: value.CACHE_ADMIN_ACTIONS === 'true',
    /** Users inserted into an empty table at start. */
    seedUsers: value.SEED_USERS ?? (value.DATABASE_URL === undefined ? EMBEDDED_SEED_USERS : 0),
    logLevel: value.LOG_LEVEL,
  });
}

function sentinelsOf(value: z.infer<typeof environment>) {
  if (value.REDIS_SENTINELS === undefined) return undefined;
  return {
    sentinels: value.REDIS_SENTINELS,
    name: value.REDIS_SENTINEL_NAME ?? '',
    sentinelUsername: value.REDIS_SENTINEL_USERNAME,
    sentinelPassword: value.REDIS_SENTINEL_PASSWORD,
    username: value.REDIS_USERNAME,
    password: value.REDIS_PASSWORD,
    database: value.REDIS_DATABASE,
  };
}

function clusterOf(value: z.infer<typeof environment>) {
  if (value.REDIS_CLUSTER === undefined) return undefined;
  return {
    cluster: value.REDIS_CLUSTER,
    username: value.REDIS_USERNAME,
    password: value.REDIS_PASSWORD,
  };
}

function toProblem(issue: z.core.$ZodIssue): ConfigProblem {
  const [problem = issue.message, ...remedy] = issue.message.split(': ');
  return {
    variable: String(issue.path[0]),
    problem,
    remedy: remedy.join(': ') || 'see .env.example',
  };
}
