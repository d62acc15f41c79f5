import { applicationVersion, RELEASE } from './application-version.js';
import { minutes, seconds } from './duration.js';
import { resolveRedis, type RedisOption, type RedisSettings } from './redis-option.js';
import { refuseOption } from './refused-option.js';

/** Share of the hits whose plans are verified in production; the other hits pay nothing. */
const PRODUCTION_SHARE = 0.01;
/** In characters. */
const MIN_SECRET_LENGTH = 16;

/** `serve`: stored answers are served. `shadow`: each query runs, and stored answers are only compared with it. */
export type CacheMode = 'serve' | 'shadow';

/** Settings of the query cache; the initialisers are the defaults. */
export class QueryCacheOptions {
  /** `false`: every query runs past the cache, nothing connects to Redis, and writes are not followed. */
  enabled = true;
  /** `shadow`: a trial in production. Differences are logged and counted by the event `shadowCompared`. */
  mode: CacheMode = 'serve';
  /**
   * The application writes nothing over this data source, so it needs no CacheInvalidationModule; a statement that may
   * write is refused. Writes of others are seen if they share Redis and `namespace` and follow their writes.
   */
  readOnly = false;
  /** Separates services that share a Redis. Letters, digits, `_` and `-`. */
  namespace = 'tidemark';
  /**
   * Part of each key: releases share versions and marks, but no answers. Change it when code that shapes answers has
   * changed outside the texts of `map` and `headers`: a helper, a value, a package that they use. At most 128 letters,
   * digits and `. _ + - : @ /`.
   */
  release = applicationVersion(process.argv[1], process.cwd());
  /** Time to live of an answer, in milliseconds. It bounds memory, not staleness. */
  ttlMs = minutes(5);
  /** Random variation of the time to live, as a share of it, 0 to 0.5. */
  ttlJitter = 0.1;
  /** How long versions may be reused after they are read, in milliseconds; 0: never stale. */
  maxStalenessMs = 0;
  /** Memory for entries in this process, in bytes. */
  l1Bytes = 64 * 1024 * 1024;
  /** Largest body of a stored answer, in bytes. Larger answers are not stored. */
  maxEntryBytes = 8 * 1024 * 1024;
  /** Most answers without a row that are stored for new values (ids) in a minute. Further ones are not stored. */
  unknownKeysPerMinute = 1_000;
  /** The Redis that all instances share; absent: this process is the only instance. */
  redis: RedisSettings | undefined = undefined;
  /**
   * Seals entries in Redis: at least 16 characters, equal in all instances, and unknown to other clients of Redis. The
   * first secret of a list seals and all are accepted, so that secrets can be rotated. Default: derived from the
   * identity of the database and the password of the data source.
   */
  entrySecret: string | readonly string[] | undefined = undefined;
  /**
   * Whether `Cache-Control: no-cache` of a request runs the query and stores its answer, and `no-store` runs it and
   * stores nothing. Any client can then cause queries.
   */
  honourRequestCacheControl = false;
  /** Lease of the mark of a write, in milliseconds: PostgreSQL is polled for the writer after this time. */
  markLeaseMs = seconds(2);
  /** Lease of the lock of a fill, in milliseconds: another request replaces a killed filler after this time. */
  fillLeaseMs = seconds(2);
  /** How long a request waits for another request's fill before it queries the database, in milliseconds. */
  fillWaitMs = seconds(5);
  /** Most requests of this process that wait for one fill. */
  fillMaxWaiters = 10_000;
  /**
   * Share of the hits, 0 to 1, for which the query is built nevertheless, to find builders that read more than their
   * parameters (a tenant from AsyncLocalStorage). With 1 a difference is an `ImpureQueryError`. Below 1 it is logged
   * and counted, and the query is answered without its cached plan.
   */
  verifyPlans = isProduction() ? PRODUCTION_SHARE : 1;
  /**
   * Share of the hits, 0 to 1, whose query runs again in the background and is compared with the hit. A difference is
   * the event `audited`, a line of the log, and makes health degraded.
   */
  audit = 0;
  /**
   * Whether events, the page and metrics show the values of regions: all, none, or those of the named dimensions
   * (`schema.table.column`). A value may be personal; without this, a short digest stands for it.
   */
  exposeValues: boolean | readonly string[] = false;
}

/** The argument of `forRoot`: any of the options. */
export type QueryCacheModuleOptions = {
  readonly [K in Exclude<keyof QueryCacheOptions, 'redis'>]?: QueryCacheOptions[K] | undefined;
} & {
  /**
   * The Redis that all instances share: a URL, a client of ioredis, settings with one of them, or Sentinels; absent:
   * this process is the only instance.
   */
  readonly redis?: RedisOption | undefined;
};

/** Ranges of numeric options; all others are 1 or more. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  ttlJitter: [0, 0.5],
  maxStalenessMs: [0, Infinity],
  verifyPlans: [0, 1],
  audit: [0, 1],
};

/** @throws Error that names the option and the remedy. */
export function resolveOptions(given: QueryCacheModuleOptions): Readonly<QueryCacheOptions> {
  const defined = Object.entries(given).filter(([, value]) => value !== undefined);
  const defaults = new QueryCacheOptions();
  const redis = resolveRedis(given.redis);
  const options = Object.assign({}, defaults, Object.fromEntries(defined), { redis });
  const { namespace, release, entrySecret, mode } = options;
  if (mode !== 'serve' && mode !== 'shadow') {
    refuseOption('mode', `cannot be ${String(mode)}`, 'give serve or shadow');
  }
  if (!/^[\w-]{1,64}$/.test(namespace)) {
    refuseOption(
      'namespace',
      'has other characters than letters, digits, _ and -, or is longer than 64',
      'choose a short plain name',
    );
  }
  if (!RELEASE.test(release)) {
    refuseOption(
      'release',
      'has other characters than letters, digits and . _ + - : @ /, or is longer than 128',
      'give the version or the commit that is deployed',
    );
  }
  const secrets = entrySecret === undefined ? undefined : [entrySecret].flat();
  if (secrets?.length === 0 || secrets?.some(({ length }) => length < MIN_SECRET_LENGTH)) {
    refuseOption(
      'entrySecret',
      `is empty or shorter than ${MIN_SECRET_LENGTH} characters`,
      'make one with `openssl rand -hex 32`',
    );
  }
  for (const [name, initial] of Object.entries(defaults)) {
    if (typeof initial !== 'number') continue;
    const value: unknown = options[name as keyof QueryCacheOptions];
    const [least, most] = RANGES[name] ?? [1, Infinity];
    if (typeof value === 'number' && value >= least && value <= most) continue;
    const range = most === Infinity ? `${least} or more` : `a number from ${least} to ${most}`;
    refuseOption(name, `cannot be ${String(value)}`, `give ${range}`);
  }
  return Object.freeze(options);
}

function isProduction(): boolean {
  // Node's applications say so by this variable; a library has no other way to know.
  // eslint-disable-next-line node/no-process-env
  return process.env['NODE_ENV'] === 'production';
}
