/** Commands of faults in Redis itself, past the instances. */
import { Redis } from 'ioredis';
import { RedisServer } from '../../support/redis-server.js';

/** The keys of the service, whatever the database. */
export const SERVICE_KEYS = 'tidemark:*';
const REPLICATED_LIMIT_MS = '3000';
/** Without a wait for more replicas, which would let the fault last for seconds. */
const REPLICA_CONFIG = { 'repl-diskless-sync-delay': '0', 'enable-debug-command': 'local' };

/** Calls `work` with a separate connection. */
export async function withRedis<T>(
  { url }: RedisServer,
  work: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis(url, { lazyConnect: true });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** Sends one command. @throws Error where the server answers with an error. */
export async function redisCommand(
  server: RedisServer,
  ...words: readonly string[]
): Promise<string> {
  const reply = await server.command(...words);
  if (reply.startsWith('-')) throw new Error(`Redis answers ${words[0]} with ${reply}`);
  return reply;
}

/** Calls `work` with another server, which holds the data as they are now and accepts writes. */
export async function withPromoted<T>(
  server: RedisServer,
  work: (promoted: RedisServer) => Promise<T>,
): Promise<T> {
  const promoted = await RedisServer.start({ config: REPLICA_CONFIG });
  try {
    await follow(promoted, server);
    await redisCommand(promoted, 'REPLICAOF', 'NO', 'ONE');
    return await work(promoted);
  } finally {
    await promoted.stop();
  }
}

/** The replicas of a server get none of its later writes; until it is restarted. */
export async function cutOffReplicas(primary: RedisServer): Promise<void> {
  await redisCommand(primary, 'ACL', 'SETUSER', 'default', '-psync', '-sync');
  await redisCommand(primary, 'CLIENT', 'KILL', 'TYPE', 'replica');
}

/** Makes a server the replica of another one, and waits until it has its data. */
export async function follow(replica: RedisServer, primary: RedisServer): Promise<void> {
  await redisCommand(replica, 'REPLICAOF', '127.0.0.1', String(primary.port));
  await redisCommand(primary, 'WAIT', '1', REPLICATED_LIMIT_MS);
}
