/**
 * The values that all instances over one database share: the name of the database in Redis, and the seal of entries. A
 * reader of Redis can try guesses at both. Scrypt makes each guess expensive.
 */
import { scrypt, type BinaryLike, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import type { DataSource } from 'typeorm';
import type { RedisLog } from '../redis/connection/outage-state.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { fixedPasswordOf, readDatabaseIdentity } from '../typeorm/database/database-identity.js';
import { EntrySeal } from '../redis/entry-seal.js';

export interface SharedSecrets {
  /** A short name of the database for key names. It does not reveal the identity. */
  readonly database: string;
  readonly seal: EntrySeal;
}

const scryptAsync = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

/** Takes 32 MB and about 80 ms in the thread pool. */
const COST: ScryptOptions = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1_024 * 1_024 };
const NAME_BYTES = 12;
const SECRET_BYTES = 32;

/** @throws DatabaseIdentityError */
export async function shareSecrets(
  source: DataSource,
  entrySecret: QueryCacheOptions['entrySecret'],
  log: RedisLog,
): Promise<SharedSecrets> {
  const [given, ...others] = entrySecret === undefined ? [] : [entrySecret].flat();
  const password = given === undefined ? fixedPasswordOf(source) : undefined;
  if (given === undefined && password === undefined) {
    log.log(
      'Entries in Redis are sealed by the identity of the database server alone, since the data source has no ' +
        'password or changes it: set `entrySecret` (CACHE_ENTRY_SECRET) to one secret for all instances',
    );
  }
  const { systemIdentifier, oid } = await readDatabaseIdentity(source);
  const identity = `${systemIdentifier}.${oid}`;
  const [ofIdentity, ofPassword] = await Promise.all([
    scryptAsync(identity, 'tidemark:database', NAME_BYTES + SECRET_BYTES, COST),
    password === undefined
      ? undefined
      : scryptAsync(password, `tidemark:entries:${identity}`, SECRET_BYTES, COST),
  ]);
  return {
    database: ofIdentity.toString('base64url', 0, NAME_BYTES),
    seal: new EntrySeal([given ?? ofPassword ?? ofIdentity.subarray(NAME_BYTES), ...others]),
  };
}
