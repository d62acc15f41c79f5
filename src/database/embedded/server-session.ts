/** From a data folder to a server that answers: everything between, in order. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createCluster } from './cluster.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import { lockFolder } from './folder-lock.js';
import { stopLeftoverServer } from './leftover-server.js';
import { serverAccount } from './server-account.js';
import { serverBinaries } from './server-binaries.js';
import { makeDataFolder, serverHome, systemHome } from './server-home.js';
import { SERVER_HOST, SERVER_USER, ServerProcess } from './server-process.js';
import { freePort, newPassword, readSettings, writeSettings } from './server-settings.js';

const DATABASE = 'tidemark';

export interface ServerSession {
  /** Secret. */
  readonly url: string;
  readonly dataDirectory: string;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the server of a data folder for the service with that process id, and makes its data
 * directory at the first start.
 * @throws EmbeddedDatabaseError
 */
export async function openServer(
  folderPath: string,
  servicePid: number,
  progress: (line: string) => void,
): Promise<ServerSession> {
  const folder = resolve(folderPath);
  makeDataFolder(folder);
  const unlock = await lockFolder(join(folder, 'lock'), servicePid);
  try {
    const server = await startServer(folder, progress);
    return {
      url: server.url,
      dataDirectory: server.dataDirectory,
      ended: server.process.ended,
      stop: async () => {
        await server.process.stop();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function startServer(folder: string, progress: (line: string) => void) {
  const known = [folder, systemHome(folder)]
    .map((home) => join(home, 'postgres'))
    .find((path) => existsSync(path));
  const account = serverAccount(known ?? folder, progress);
  const binaries = serverBinaries(account, progress);
  const home = serverHome(folder, account);
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
  await stopLeftoverServer(dataDirectory, progress);
  const settings = {
    port: await freePort(earlier?.port),
    password: (isNew ? undefined : earlier?.password) ?? newPassword(),
  };
  // Before the data: a password without data is harmless, data without a password is lost.
  writeSettings(settingsFile, settings);
  if (isNew) {
    progress(`making a new database in ${dataDirectory}`);
    await createCluster({
      program: binaries.initdb,
      account,
      dataDirectory,
      password: settings.password,
    });
  }
  progress(`starting PostgreSQL on port ${settings.port}`);
  const process = await ServerProcess.start({
    program: binaries.postgres,
    account,
    dataDirectory,
    logFile: join(home, 'postgres.log'),
    settings,
  });
  try {
    await process.ensureDatabase(DATABASE);
  } catch (error) {
    await process.stop();
    throw error;
  }
  const url = `postgres://${SERVER_USER}:${settings.password}@${SERVER_HOST}:${settings.port}/${DATABASE}`;
  return { process, url, dataDirectory };
}
