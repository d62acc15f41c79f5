import { vi } from 'vitest';
import type { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DataCanary } from '../../src/redis/data-canary.js';
import { EntrySeal } from '../../src/redis/entry-seal.js';
import { RedisEntryStore, type RedisEntryStoreOptions } from '../../src/redis/redis-entry-store.js';
import { RedisKeys } from '../../src/redis/redis-keys.js';
import { RedisVersionStore } from '../../src/redis/redis-version-store.js';
import type { RedisLog } from '../../src/redis/connection/outage-state.js';
import type { RedisTarget } from '../../src/redis/connection/redis-client.factory.js';
import { RedisConnection, type Heartbeat } from '../../src/redis/connection/redis-connection.js';

// Long enough for a slow machine: only a hanging command reaches it.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Redis's clock has whole milliseconds and is not this process's. */
const CLOCK_SLACK_MS = 5;

export const freshNamespace = (): string => `test-${randomUUID()}`;

/** The keys of one database in the namespace. */
export const keysIn = (namespace: string): RedisKeys => new RedisKeys(namespace, 'db');

export const pass = (durationMs: number): Promise<void> => delay(durationMs + CLOCK_SLACK_MS);

/** Keeps all that is logged. */
export class LogBook implements RedisLog {
  readonly lines: string[] = [];

  log(message: string): void {
    this.lines.push(`log ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
}

export interface ConnectOptions {
  readonly timeoutMs?: number;
  readonly log?: RedisLog;
}

/** Writes and changes nothing. */
const plainHeartbeat: Heartbeat = (client) => client.del('test:heartbeat');

/** A connection that is being opened. */
export function connect(
  place: string | RedisTarget,
  options: ConnectOptions = {},
): RedisConnection {
  const { timeoutMs = 10_000, log = new LogBook() } = options;
  const target = typeof place === 'string' ? { url: place } : place;
  return RedisConnection.open({ ...target, timeoutMs, heartbeat: plainHeartbeat, log });
}

/** A connection that is up. */
export async function connected(
  place: string | RedisTarget,
  options?: ConnectOptions,
): Promise<RedisConnection> {
  const connection = connect(place, options);
  await up(connection);
  return connection;
}

export async function up(connection: RedisConnection): Promise<void> {
  if (connection.state === 'up') return;
  await new Promise<void>((resolve) => {
    connection.onUp(resolve);
  });
}

export async function down(connection: RedisConnection): Promise<void> {
  if (connection.state === 'down') return;
  await new Promise<void>((resolve) => {
    connection.onDown(resolve);
  });
}

/** The number of one process; `keys` name where it lies. */
export const canaryAt = (keys: Pick<RedisKeys, 'ofCanary'>, onLost = (): void => undefined) =>
  new DataCanary(keys, { onLost, mayEvict: () => false });

/** The versions as one instance sees them. */
export function versionStore(connection: RedisConnection, namespace: string): RedisVersionStore {
  const keys = keysIn(namespace);
  return new RedisVersionStore(connection, keys, canaryAt(keys));
}

/** The entries as one instance sees them; all have the same secret unless another one is given. */
export function entryStore(
  connection: RedisConnection,
  namespace: string,
  options: Partial<RedisEntryStoreOptions> = {},
): RedisEntryStore {
  return new RedisEntryStore(() => connection, keysIn(namespace), {
    maxBodyBytes: 1_000_000,
    seal: new EntrySeal(['the secret of all']),
    onRefused: () => undefined,
    ...options,
  });
}

/** The keys of a namespace without those that every process has. */
export async function tableKeys(admin: Redis, namespace: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const keys of admin.scanStream({ match: `${namespace}:*` })) {
    found.push(...(keys as string[]));
  }
  return found.filter((key) => !key.includes('{i}'));
}
