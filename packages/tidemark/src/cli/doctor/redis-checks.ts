/** Redis: whether it can be reached, its version and policy, the rights of the user, and its clock. */
import type { Redis } from 'ioredis';
import { addressOf, createRedisClient } from '../../redis/connection/redis-client.factory.js';
import { RedisPermissionError, textOf } from '../../redis/connection/redis.errors.js';
import { readServerInfo } from '../../redis/connection/server-info.js';
import { checkCommands } from '../../redis/redis-heartbeat.js';
import { RedisKeys } from '../../redis/redis-keys.js';
import { check, type Check } from './check.js';

const TIMEOUT_MS = 5_000;
/** Entries of an instance with another clock live longer or shorter by the difference. */
const MAX_CLOCK_MS = 1_000;

/** @throws RedisUrlError, whose message does not repeat the URL. */
export async function redisChecks(url: string, namespace: string): Promise<readonly Check[]> {
  const client = createRedisClient({ url, timeoutMs: TIMEOUT_MS });
  // The attempt to connect rejects with it.
  client.on('error', () => undefined);
  client.options.commandTimeout = TIMEOUT_MS;
  try {
    try {
      await client.connect();
    } catch (error) {
      const text = `${addressOf({ url })} cannot be reached: ${textOf(error)}`;
      return [check('FAIL', 'redis', text)];
    }
    return await checksOver(client, namespace);
  } finally {
    client.disconnect();
  }
}

async function checksOver(client: Redis, namespace: string): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const groups: (() => Promise<readonly Check[]>)[] = [
    () => serverChecks(client),
    () => commandChecks(client, namespace),
    () => clockChecks(client),
  ];
  for (const run of groups) {
    try {
      checks.push(...(await run()));
    } catch (error) {
      checks.push(check('FAIL', 'redis', textOf(error)));
    }
  }
  return checks;
}

async function serverChecks(client: Redis): Promise<readonly Check[]> {
  const info = await client.info();
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const isCluster = field('cluster_enabled') === '1';
  const { unfitness, evictionPolicy } = await readServerInfo(
    client,
    isCluster ? 'cluster' : 'standalone',
  );
  const version = field('valkey_version') ?? field('redis_version') ?? 'of unknown version';
  return [
    unfitness === undefined
      ? check('ok', 'redis', `${version}${isCluster ? ', a node of a cluster' : ''}`)
      : check('FAIL', 'redis', unfitness),
    evictionPolicy?.startsWith('allkeys-') === true
      ? check(
          'FAIL',
          'maxmemory-policy',
          `${evictionPolicy} may drop the marks of writes: set volatile-lru or noeviction`,
        )
      : check('ok', 'maxmemory-policy', evictionPolicy ?? 'not told by the server'),
  ];
}

async function commandChecks(client: Redis, namespace: string): Promise<readonly Check[]> {
  const keys = new RedisKeys(namespace, 'doctor');
  try {
    const { isFull } = await checkCommands(client, keys);
    return [
      check('ok', 'commands', 'the user may run all that the cache needs'),
      isFull
        ? check('warn', 'maxmemory', 'is reached, so answers are not stored: raise it')
        : check('ok', 'maxmemory', 'is not reached'),
    ];
  } catch (error) {
    const text = error instanceof RedisPermissionError ? error.message : textOf(error);
    return text.startsWith('MOVED ')
      ? [check('warn', 'commands', 'not checked: give the address of another node of the cluster')]
      : [check('FAIL', 'commands', text)];
  } finally {
    await client.del(...keys.ofHeartbeat()).catch(() => undefined);
  }
}

async function clockChecks(client: Redis): Promise<readonly Check[]> {
  const beforeMs = Date.now();
  const [seconds, microseconds] = (await client.time()).map(Number) as [number, number];
  const afterMs = Date.now();
  const redisMs = seconds * 1_000 + microseconds / 1_000;
  // At least so far apart, whenever the server has read its clock in between.
  const aheadMs = Math.max(0, beforeMs - redisMs, redisMs - afterMs);
  return [
    aheadMs <= MAX_CLOCK_MS
      ? check('ok', 'clock', "this machine's and that of Redis agree within a second")
      : check(
          'warn',
          'clock',
          `this machine's and that of Redis differ by ${(aheadMs / 1_000).toFixed(1)} s, and stored answers live ` +
            'so much longer or shorter where clocks differ: synchronise them (NTP)',
        ),
  ];
}
