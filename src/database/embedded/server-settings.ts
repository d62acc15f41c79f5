/** The port and the password of the database, kept between starts. */
import { once } from 'node:events';
import { chownSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { EmbeddedDatabaseError } from './embedded.errors.js';

export interface ServerSettings {
  readonly port: number;
  readonly password: string;
}

/** @throws EmbeddedDatabaseError if the file is invalid. */
export function readSettings(path: string): ServerSettings | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { port, password } = JSON.parse(readFileSync(path, 'utf8')) as Partial<ServerSettings>;
    if (typeof port === 'number' && typeof password === 'string') return { port, password };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new EmbeddedDatabaseError(
    `cannot be opened: ${path} is damaged`,
    'Restore it, or remove the data folder to begin with an empty database.',
  );
}

/** Replaces the file atomically. Only its owner can read it, the owner of its folder. */
export function writeSettings(path: string, settings: ServerSettings): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(settings)}\n`, { mode: 0o600 });
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(dirname(path));
    chownSync(draft, uid, gid);
  }
  renameSync(draft, path);
}

/** The preferred port if it is free on the loopback address, otherwise a free one. */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer().listen({ port: preferred, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (preferred === 0) throw error;
    return freePort();
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
