/** The outages of Redis, one for each row of the table in trouble-by-policy.spec.ts. */
import { expect } from 'vitest';
import { Redis } from 'ioredis';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.js';
import type { RedisServer } from '../../support/redis-server.js';
import { infoOf, redisCommand, withRedis } from './redis-trouble.js';

export interface RedisTrouble {
  readonly trouble: string;
  /** A line in the log of every instance. */
  readonly reason: RegExp;
  /** Redis comes back without its data, or with older data. */
  readonly losesData?: true;
  /** Called before `begin`: prepares the data with which Redis comes back. */
  readonly save?: (redis: RedisServer) => Promise<unknown>;
  readonly begin: (redis: RedisServer) => Promise<unknown>;
  readonly end: (redis: RedisServer) => Promise<unknown>;
}

const AWAY = /Redis at \S+ is not available/;

const configure = (redis: RedisServer, name: string, value: string) =>
  redisCommand(redis, 'CONFIG', 'SET', name, value);

/** Path of the snapshot. A folder at this path stops Redis from writing one. */
async function snapshotPath(redis: RedisServer): Promise<string> {
  const [, directory] = (await redisCommand(redis, 'CONFIG', 'GET', 'dir')) as [string, string];
  return join(directory, 'dump.rdb');
}

/** Runs until it is killed; rejects then. */
let endless: Promise<unknown>;
/** The remaining connection where Redis accepts no more. */
let admin: Redis;

/** The first three represent the others in `npm test`: Redis is away, hangs, or refuses commands. */
export const redisTroubles: readonly RedisTrouble[] = [
  {
    trouble: 'is killed and comes back from an older snapshot',
    reason: AWAY,
    losesData: true,
    save: (redis) => redis.save(),
    begin: (redis) => redis.kill(),
    end: async (redis) => {
      await redis.restart();
      expect(Number(await infoOf(redis, 'rdb_last_load_keys_loaded'))).toBeGreaterThan(0);
    },
  },
  {
    trouble: 'is stopped and goes on',
    reason: /did not answer/,
    begin: async (redis) => redis.pause(),
    end: async (redis) => redis.resume(),
  },
  {
    trouble: 'was made a replica (READONLY)',
    reason: /replica/i,
    begin: (redis) => redisCommand(redis, 'REPLICAOF', '127.0.0.1', '1'),
    end: (redis) => redisCommand(redis, 'REPLICAOF', 'NO', 'ONE'),
  },
  {
    trouble: 'is killed and comes back empty',
    reason: AWAY,
    losesData: true,
    begin: (redis) => redis.kill(),
    end: async (redis) => {
      await redis.restart({ empty: true });
      expect(await infoOf(redis, 'rdb_last_load_keys_loaded')).toBe('0');
    },
  },
  {
    trouble: 'is busy with a script (BUSY)',
    reason: /BUSY/,
    begin: async (redis) => {
      await configure(redis, 'busy-reply-threshold', '50');
      endless = redisCommand(redis, 'EVAL', 'while true do end', '0').catch(() => 'killed');
    },
    end: async (redis) => {
      // Over a plain connection: a busy server answers no client's first questions.
      expect(await redis.command('SCRIPT', 'KILL')).toBe('+OK');
      await endless;
    },
  },
  {
    trouble: 'takes no more connections',
    reason: /max number of clients|connection|closed/,
    begin: async (redis) => {
      admin = new Redis(redis.port, '127.0.0.1');
      admin.on('error', () => undefined);
      await admin.config('SET', 'maxclients', '1');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    end: async () => {
      await admin.config('SET', 'maxclients', '1000');
      admin.disconnect();
    },
  },
  {
    trouble: 'is killed and comes back with what it held',
    reason: AWAY,
    begin: async (redis) => {
      await redis.save();
      await redis.kill();
    },
    end: (redis) => redis.restart(),
  },
  {
    trouble: 'lacks replicas (NOREPLICAS)',
    reason: /NOREPLICAS/,
    begin: (redis) => configure(redis, 'min-replicas-to-write', '1'),
    end: (redis) => configure(redis, 'min-replicas-to-write', '0'),
  },
  {
    trouble: 'could not write its snapshot (MISCONF)',
    reason: /MISCONF/,
    begin: async (redis) => {
      const path = await snapshotPath(redis);
      await rm(path, { force: true });
      await mkdir(path);
      await configure(redis, 'save', '3600 1');
      await redisCommand(redis, 'BGSAVE');
      await eventually(async () => {
        expect(await infoOf(redis, 'rdb_last_bgsave_status')).toBe('err');
      });
    },
    end: async (redis) => {
      await configure(redis, 'save', '');
      await rm(await snapshotPath(redis), { recursive: true });
      await redisCommand(redis, 'BGSAVE');
    },
  },
  {
    trouble: 'got a password (NOAUTH)',
    reason: /NOAUTH/,
    begin: async (redis) => {
      await configure(redis, 'requirepass', 'unknown');
      const kill = (client: Redis) => client.call('CLIENT', 'KILL', 'TYPE', 'normal');
      await withRedis(redis, kill, 'unknown');
    },
    end: (redis) =>
      withRedis(redis, (client) => client.config('SET', 'requirepass', ''), 'unknown'),
  },
  {
    trouble: 'forbids scripts (NOPERM)',
    reason: /NOPERM|refuses/,
    begin: (redis) => redisCommand(redis, 'ACL', 'SETUSER', 'default', '-@scripting'),
    end: (redis) => redisCommand(redis, 'ACL', 'SETUSER', 'default', '+@all'),
  },
];
