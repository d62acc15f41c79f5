/**
 * A process that runs the embedded database for one service. It leaves the process group of the terminal, so that only
 * the service gets a Ctrl-C, answers its requests and then closes the channel between them. The channel also closes if
 * the service dies. In both cases the launcher stops.
 *
 * Arguments: the absolute path of the data folder, and the process id of the service. Requires an IPC channel.
 */
import { DatabaseError } from '../database.error.js';
import type { LauncherMessage } from './embedded-database.js';
import { openServer } from './server-session.js';

const [folder = '', servicePid = ''] = process.argv.slice(2);

// A process manager that signals the whole group means the service; the end of the service stops the launcher.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const asked = new Promise<boolean>((resolve) => {
  process.once('disconnect', () => resolve(true));
  if (!process.connected) resolve(true);
});

function send(message: LauncherMessage): void {
  if (process.connected) process.send?.(message, () => undefined);
}

try {
  const server = await openServer(folder, Number(servicePid), (line) =>
    send({ kind: 'progress', line }),
  );
  send({ kind: 'ready', url: server.url, dataDirectory: server.dataDirectory });
  const wasAsked = await Promise.race([asked, server.ended.then(() => false)]);
  await server.stop();
  if (!wasAsked) throw new DatabaseError('The embedded PostgreSQL has ended.');
} catch (error) {
  send({ kind: 'failed', message: describe(error) });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();

function describe(error: unknown): string {
  if (error instanceof DatabaseError) return error.message;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return `The embedded PostgreSQL cannot use ${path ?? folder}: it belongs to another user. Start Tidemark as that user, or remove the folder to begin with an empty database.`;
  }
  return `The embedded PostgreSQL could not be started: ${message}`;
}
