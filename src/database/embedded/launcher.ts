/**
 * A process that runs the embedded database for one service. It leaves the terminal's process group, so that Ctrl-C
 * reaches the service alone, which answers its requests before it closes their channel. The channel closes as well when
 * the service dies. Both ask the launcher to stop.
 *
 * Arguments: the absolute path of the data folder, and the process id of the service. Needs an IPC channel.
 */
import { DatabaseError } from '../database.error.js';
import type { LauncherMessage } from './embedded-database.js';
import { openServer } from './server-session.js';

const [folder = '', servicePid = ''] = process.argv.slice(2);

// A manager that signals the whole group means the service, whose end follows.
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
