import { applicationVersion, RELEASE } from './application-version.js';
import { minutes, seconds } from './core/duration.js';

/** Of the hits whose plans are verified in production: the others cost nothing. */
const PRODUCTION_SHARE = 0.01;
/** In characters. */
const SHORTEST_SECRET = 16;

/** Settings of the query cache; the initialisers are the defaults. */
export class QueryCacheOptions {
  /** Keeps services that share a Redis apart. Letters, digits, `_` and `-`. */
  namespace = 'tidemark';
  /**
   * Part of each key: releases that run side by side on one Redis share versions and marks, and read none of each
   * other's answers. A new one is needed where code outside of the texts of `map` and `headers` has changed and
   * shapes answers: a helper that they call, a value that they close over, a package that was upgraded. At most 128
   * letters, digits and `. _ + - : @ /`.
   */
  release = applicationVersion(process.argv[1], process.cwd());
  /** Time to live of an answer, in milliseconds. It bounds memory, not staleness. */
  ttlMs = minutes(5);
  /** Share of the time to live by which it varies at random, 0 to 0.5. */
  ttlJitter = 0.1;
  /** For how long versions once read may be reused, in milliseconds; 0: never stale. */
  maxStalenessMs = 0;
  /** Memory for entries in this process, in bytes. */
  l1Bytes = 64 * 1024 * 1024;
  /** Answers with a longer body are not stored, in bytes. */
  maxEntryBytes = 8 * 1024 * 1024;
  /**
   * How many values asked for in vain (ids without a row) may be remembered in a minute. Further answers
   * of this kind are given, and not stored.
   */
  unknownKeysPerMinute = 1_000;
  /** The Redis all instances share; absent: this process is the only one. */
  redis: QueryCacheRedisOptions | undefined = undefined;
  /**
   * What entries in Redis are sealed with, at least 16 characters; the same for all instances, and not known to
   * other clients of Redis. Of several the first seals and all are accepted, so that secrets can be replaced.
   * Absent: derived from the identity of the database and the data source's password.
   */
  entrySecret: string | readonly string[] | undefined = undefined;
  /** Lease of a write's mark, in milliseconds: how soon a killed writer's regions are asked for. */
  markLeaseMs = seconds(2);
  /** Lease of the lock of a fill, in milliseconds: how soon a killed filler is replaced. */
  fillLeaseMs = seconds(2);
  /** How long a request waits for another's fill before it asks the database, in milliseconds. */
  fillWaitMs = seconds(5);
  /** Requests of this process that may wait on one fill. */
  fillMaxWaiters = 10_000;
  /**
   * Share of the hits, 0 to 1, for which the query is built all the same, to find builders that read more
   * than their parameters (a tenant out of AsyncLocalStorage). With 1 a difference is an
   * `ImpureQueryError`; with less it is logged and counted, and the query answered past its plan.
   */
  verifyPlans = isProduction() ? PRODUCTION_SHARE : 1;
}

export interface QueryCacheRedisOptions {
  /** `redis://` or `rediss://` with user, password and database number as usual. */
  readonly url: string;
  /** A command that takes longer counts as a failure, in milliseconds. */
  readonly timeoutMs?: number;
}

/** A setting that cannot work. */
export class QueryCacheOptionsError extends Error {
  constructor(option: keyof QueryCacheOptions, problem: string, remedy: string) {
    super(`QueryCacheModule option \`${option}\` ${problem}: ${remedy}.`);
    this.name = 'QueryCacheOptionsError';
  }
}

/** What `forRoot` takes: any of the options. */
export type QueryCacheModuleOptions = {
  readonly [K in keyof QueryCacheOptions]?: QueryCacheOptions[K] | undefined;
};

/** @throws QueryCacheOptionsError */
export function resolveOptions(given: QueryCacheModuleOptions): Readonly<QueryCacheOptions> {
  const defined = Object.entries(given).filter(([, value]) => value !== undefined);
  const options = Object.assign(new QueryCacheOptions(), Object.fromEntries(defined));
  if (!/^[\w-]{1,64}$/.test(options.namespace)) {
    throw new QueryCacheOptionsError(
      'namespace',
      'has other characters than letters, digits, _ and -, or is longer than 64',
      'choose a short plain name',
    );
  }
  if (!RELEASE.test(options.release)) {
    throw new QueryCacheOptionsError(
      'release',
      'has other characters than letters, digits and . _ + - : @ /, or is longer than 128',
      'give the version or the commit that is deployed',
    );
  }
  if (!(options.ttlJitter >= 0 && options.ttlJitter <= 0.5)) {
    throw new QueryCacheOptionsError('ttlJitter', 'is not within 0 and 0.5', 'give a share');
  }
  requireSecrets(options.entrySecret);
  requirePositive(options, [
    'ttlMs',
    'l1Bytes',
    'maxEntryBytes',
    'unknownKeysPerMinute',
    'markLeaseMs',
    'fillLeaseMs',
    'fillWaitMs',
    'fillMaxWaiters',
  ]);
  if (!(options.verifyPlans >= 0 && options.verifyPlans <= 1)) {
    throw new QueryCacheOptionsError('verifyPlans', 'is not within 0 and 1', 'give a share');
  }
  if (!(options.maxStalenessMs >= 0)) {
    throw new QueryCacheOptionsError('maxStalenessMs', 'is negative', 'give 0 or more');
  }
  return Object.freeze(options);
}

function isProduction(): boolean {
  // What Node's applications say so by; a library has no other way to know.
  // eslint-disable-next-line node/no-process-env
  return process.env['NODE_ENV'] === 'production';
}

function requireSecrets(given: QueryCacheOptions['entrySecret']): void {
  if (given === undefined) return;
  const secrets = [given].flat();
  if (secrets.length === 0 || secrets.some((secret) => secret.length < SHORTEST_SECRET)) {
    throw new QueryCacheOptionsError(
      'entrySecret',
      `is empty or shorter than ${SHORTEST_SECRET} characters`,
      'make one with `openssl rand -hex 32`',
    );
  }
}

function requirePositive(
  options: QueryCacheOptions,
  names: readonly (keyof QueryCacheOptions)[],
): void {
  for (const name of names) {
    const value = options[name];
    if (typeof value !== 'number' || !(value > 0)) {
      throw new QueryCacheOptionsError(name, 'is not a positive number', 'give a larger one');
    }
  }
}
