/**
 * A process of its own that runs the embedded database for one service.
 *
 * It leaves the terminal's process group, so that Ctrl-C reaches the service alone, which drains
 * its requests and then asks for the end. Where the service dies without asking, the channel
 * between them closes, and that is taken for the same wish.
 *
 * Arguments: the data folder, and the process id of the service. Needs an IPC channel.
 */
import { EmbeddedDatabaseError } from './embedded.errors.js';
import type { LauncherMessage } from './launcher.messages.js';
import { openServer } from './server-session.js';

const [folder = '.data', servicePid = ''] = process.argv.slice(2);

// A manager that signals the whole group means the service, whose end follows.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

/** Resolves when the service asks for the end, or is gone. */
const asked = new Promise<void>((resolve) => {
  process.once('message', () => resolve());
  process.once('disconnect', () => resolve());
  if (!process.connected) resolve();
});

function tell(message: LauncherMessage): void {
  // Where the service has gone in between there is no one left to tell.
  if (process.connected) process.send?.(message, () => undefined);
}

try {
  const server = await openServer(folder, Number(servicePid), (line) =>
    tell({ kind: 'progress', line }),
  );
  tell({ kind: 'ready', url: server.url, dataDirectory: server.dataDirectory });
  const why = await Promise.race([asked.then(() => 'asked'), server.ended.then(() => 'ended')]);
  await server.stop();
  if (why === 'ended') tell({ kind: 'failed', message: 'The embedded PostgreSQL has ended.' });
  process.exitCode = why === 'asked' ? 0 : 1;
} catch (error) {
  tell({ kind: 'failed', message: describe(error) });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();

function describe(error: unknown): string {
  if (error instanceof EmbeddedDatabaseError) return error.message;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return `The embedded PostgreSQL cannot use ${path ?? folder}: it belongs to another user. Start Tidemark as that user, or remove the folder to begin with an empty database.`;
  }
  return `The embedded PostgreSQL could not be started: ${message}`;
}
