/** Runs all steps, in order, from a data folder to a server that answers. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createCluster } from './cluster.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import { lockFolder } from './folder-lock.js';
import { stopLeftoverServer } from './leftover-server.js';
import { makeDataFolder, serverPlace } from './server-account.js';
import { serverPrograms } from './server-binaries.js';
import {
  DATABASE,
  SERVER_HOST,
  SERVER_USER,
  startServer,
  type RunningServer,
} from './server-process.js';
import { freePort, readSettings, writeSettings } from './server-settings.js';

export interface ServerSession extends RunningServer {
  /** Secret. */
  readonly url: string;
  readonly dataDirectory: string;
}

/**
 * Starts the server of a data folder for the service with this process id; the first start creates the data directory.
 * @param folder an absolute path.
 * @throws EmbeddedDatabaseError
 */
export async function openServer(
  folder: string,
  servicePid: number,
  progress: (line: string) => void,
): Promise<ServerSession> {
  makeDataFolder(folder);
  const unlock = await lockFolder(folder, servicePid);
  try {
    const session = await startOn(folder, progress);
    return { ...session, stop: () => session.stop().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function startOn(folder: string, progress: (line: string) => void): Promise<ServerSession> {
  const { home, account } = serverPlace(folder, progress);
  const programs = serverPrograms(account, progress);
  const dataDirectory = join(home, 'postgres');
  const settingsFile = join(folder, 'database.json');
  const isNew = !existsSync(dataDirectory);
  const earlier = readSettings(settingsFile);
  if (!isNew && !earlier) {
    throw new EmbeddedDatabaseError(
      `has data in ${dataDirectory}, but its password is lost with ${settingsFile}`,
      'Restore that file, or remove the data to begin with an empty database.',
    );
  }
  stopLeftoverServer(programs, account, dataDirectory, progress);
  const settings = {
    port: await freePort(earlier?.port),
    password: (isNew ? undefined : earlier?.password) ?? randomBytes(24).toString('base64url'),
  };
  // Before the data: a password without data is harmless, but data without its password is lost.
  writeSettings(settingsFile, settings);
  if (isNew) {
    progress(`making a new database in ${dataDirectory}`);
    createCluster({ programs, account, dataDirectory, password: settings.password });
  }
  progress(`starting PostgreSQL on port ${settings.port}`);
  const logFile = join(home, 'postgres.log');
  const server = await startServer({ programs, account, dataDirectory, logFile, settings });
  const url = `postgres://${SERVER_USER}:${settings.password}@${SERVER_HOST}:${settings.port}/${DATABASE}`;
  return { ...server, url, dataDirectory };
}
