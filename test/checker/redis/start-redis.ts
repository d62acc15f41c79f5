import type { RedisKind } from '../options.js';
import type { CheckedRedis } from './checked-redis.js';
import { ClusterRedis } from './cluster-redis.js';
import { SentinelRedis } from './sentinel-redis.js';
import { StandaloneRedis } from './standalone-redis.js';

const STARTS: Readonly<Record<RedisKind, () => Promise<CheckedRedis>>> = {
  standalone: () => StandaloneRedis.start(),
  sentinel: () => SentinelRedis.start(),
  cluster: () => ClusterRedis.start(),
};

export function startRedis(kind: RedisKind): Promise<CheckedRedis> {
  return STARTS[kind]();
}
