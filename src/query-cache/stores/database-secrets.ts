/**
 * What all instances over one database derive from it.
 *
 * Keys in Redis show which database they belong to, and entries are sealed with the secret, so whoever reads
 * Redis can try guesses at both: scrypt makes each guess expensive.
 */
import { scrypt, type BinaryLike, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import type { DatabaseIdentity } from '../sql/database-identity.js';

export interface DatabaseSecrets {
  /** A short name of the database, for the names of keys. It does not give the identity away. */
  readonly name: string;
  readonly sealSecret: Buffer;
}

const scryptAsync = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

/** Takes 32 MB and some 80 ms in the thread pool. */
const COST: ScryptOptions = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1_024 * 1_024 };
const NAME_BYTES = 12;
const SECRET_BYTES = 32;

/** @param password of the data source; without one the server's identity alone is what Redis does not hold. */
export async function deriveSecrets(
  { systemIdentifier, oid }: DatabaseIdentity,
  password: string | undefined,
): Promise<DatabaseSecrets> {
  const identity = `${systemIdentifier}.${oid}`;
  const [ofIdentity, ofPassword] = await Promise.all([
    scryptAsync(identity, 'tidemark:database', NAME_BYTES + SECRET_BYTES, COST),
    password === undefined
      ? undefined
      : scryptAsync(password, `tidemark:entries:${identity}`, SECRET_BYTES, COST),
  ]);
  return {
    name: ofIdentity.toString('base64url', 0, NAME_BYTES),
    sealSecret: ofPassword ?? ofIdentity.subarray(NAME_BYTES),
  };
}
