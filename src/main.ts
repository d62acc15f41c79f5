/** Starts the service. */
import type { AddressInfo } from 'node:net';
import { CachePage } from '@tidemark/nestjs/page';
import { createApp } from './app.js';
import { ConfigError, type Config } from './config/config.js';
import { readConfig } from './config/environment.js';
import { DatabaseError } from './database/database.error.js';
import { openServiceDatabase } from './database/service-database.js';
import { Drain } from './http/drain.js';
import { addressOf, greeting } from './greeting.js';
import { describeError } from './logging/describe-error.js';
import { ServiceLog } from './logging/service-log.js';
import { Shutdown } from './shutdown.js';

/**
 * Most connections that wait to be accepted. With the 511 of Node, a client that comes after a thousand others waits
 * for seconds until it retries (the limit of the kernel is `net.core.somaxconn`).
 */
const MAX_BACKLOG = 4_096;

let config: Config;
try {
  config = readConfig();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`Tidemark cannot start with this environment:\n${error.message}\n`);
  process.exit(1);
}

const log = new ServiceLog(config.logLevel);
const shutdown = new Shutdown((problem, error) =>
  log.record('error', error === undefined ? {} : { error: describeError(error) }, problem),
);

try {
  const database = await openServiceDatabase(config, (line) => log.log(line, 'Database'));
  shutdown.add(async () => database.embedded?.stop());
  void database.embedded?.lost.then((reason) => {
    log.fatal(reason, 'Database');
    return shutdown.begin(1);
  });
  const app = await createApp(database.config, log);
  shutdown.add(() => app.close());
  shutdown.add(() => app.get(Drain).finish(config.shutdownDrainMs));
  // The drain would wait for them.
  shutdown.add(async () => app.get(CachePage).endStreams());
  await app.listen({ port: config.port, host: config.host, backlog: MAX_BACKLOG });
  const { port } = app.getHttpServer().address() as AddressInfo;
  for (const line of greeting(addressOf(config.host, port), database, config)) log.log(line);
} catch (error) {
  const described = describeError(error);
  const fields = error instanceof DatabaseError ? {} : { error: described };
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  const remedy = isTaken ? '. Set PORT to a free port, or stop what listens there.' : '';
  log.record('fatal', fields, `Tidemark cannot start: ${described.message}${remedy}`);
  await shutdown.begin(1);
}
