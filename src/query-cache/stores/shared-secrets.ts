import type { DataSource } from 'typeorm';
import type { RedisLog } from '../../redis/outage-state.js';
import type { QueryCacheOptions } from '../query-cache.options.js';
import { fixedPasswordOf, readDatabaseIdentity } from '../sql/database-identity.js';
import type { SharedSecrets } from './cache-stores.js';
import { deriveSecrets } from './database-secrets.js';
import { EntrySeal } from './entry-seal.js';

/**
 * What every instance over the database of the data source finds out by itself, or is given.
 *
 * @throws DatabaseIdentityError
 */
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
  const derived = await deriveSecrets(await readDatabaseIdentity(source), password);
  return {
    database: derived.name,
    seal: new EntrySeal([given ?? derived.sealSecret, ...others]),
  };
}
