import { applicationVersion, RELEASE } from './application-version.js';
import { minutes, seconds } from './duration.js';

/** Of the hits whose plans are verified in production: the others cost nothing. */
const PRODUCTION_SHARE = 0.01;
/** In characters. */
const MIN_SECRET_LENGTH = 16;

/** Settings of the query cache; the initialisers are the defaults. */
export class QueryCacheOptions {
  /** Keeps services that share a Redis apart. Letters, digits, `_` and `-`. */
  namespace = 'tidemark';
  /**
   * Part of each key: releases share versions and marks, and no answers. A new one is needed where code that shapes
   * answers has changed outside of the texts of `map` and `headers`: a helper, a value, a package that they use. At
   * most 128 letters, digits and `. _ + - : @ /`.
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
  /** Answers without a row that are stored for new values (ids) in a minute. Further ones are not stored. */
  unknownKeysPerMinute = 1_000;
  /** The Redis all instances share; absent: this process is the only one. */
  redis: QueryCacheRedisOptions | undefined = undefined;
  /**
   * Seals entries in Redis: at least 16 characters, the same for all instances, and not known to other clients of
   * Redis. Of several the first seals and all are accepted, so that secrets can be replaced.
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

/** What `forRoot` takes: any of the options. */
export type QueryCacheModuleOptions = {
  readonly [K in keyof QueryCacheOptions]?: QueryCacheOptions[K] | undefined;
};

/** Of options that are numbers; all others are 1 or more. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  ttlJitter: [0, 0.5],
  maxStalenessMs: [0, Infinity],
  verifyPlans: [0, 1],
};

/** @throws Error that names the option and the remedy. */
export function resolveOptions(given: QueryCacheModuleOptions): Readonly<QueryCacheOptions> {
  const defined = Object.entries(given).filter(([, value]) => value !== undefined);
  const defaults = new QueryCacheOptions();
  const options = Object.assign({}, defaults, Object.fromEntries(defined));
  const { namespace, release, entrySecret } = options;
  if (!/^[\w-]{1,64}$/.test(namespace)) {
    refuse(
      'namespace',
      'has other characters than letters, digits, _ and -, or is longer than 64',
      'choose a short plain name',
    );
  }
  if (!RELEASE.test(release)) {
    refuse(
      'release',
      'has other characters than letters, digits and . _ + - : @ /, or is longer than 128',
      'give the version or the commit that is deployed',
    );
  }
  const secrets = entrySecret === undefined ? undefined : [entrySecret].flat();
  if (secrets?.length === 0 || secrets?.some(({ length }) => length < MIN_SECRET_LENGTH)) {
    refuse(
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
    refuse(name, `cannot be ${String(value)}`, `give ${range}`);
  }
  return Object.freeze(options);
}

function refuse(option: string, problem: string, remedy: string): never {
  throw new Error(`QueryCacheModule option \`${option}\` ${problem}: ${remedy}.`);
}

function isProduction(): boolean {
  // Node's applications say so by this variable; a library has no other way to know.
  // eslint-disable-next-line node/no-process-env
  return process.env['NODE_ENV'] === 'production';
}
