import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import { startEmbeddedDatabase, type EmbeddedDatabase } from './embedded/embedded-database.js';

/** The folder of the embedded database, below the working directory. */
const DATA_FOLDER = '.data';

/** The database of this run of the service. */
export interface ServiceDatabase {
  /** The configuration, completed by what an embedded database brings: its URL, and a token for the page. */
  readonly config: Config;
  /** `undefined` if DATABASE_URL names another database. */
  readonly embedded: EmbeddedDatabase | undefined;
}

/** Starts the embedded database, unless the configuration names another one. */
export async function openServiceDatabase(
  config: Config,
  progress: (line: string) => void,
): Promise<ServiceDatabase> {
  if (config.databaseUrl !== undefined) return { config, embedded: undefined };
  const embedded = await startEmbeddedDatabase(DATA_FOLDER, progress);
  const { cacheAdminToken = randomBytes(24).toString('base64url') } = config;
  const completed = { ...config, databaseUrl: embedded.url, cacheAdminToken };
  return { config: Object.freeze(completed), embedded };
}
