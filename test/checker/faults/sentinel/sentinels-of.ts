import type { SentinelCluster } from '../../../support/sentinel-cluster.js';
import { SentinelRedis } from '../../redis/sentinel-redis.js';
import type { FaultContext } from '../fault.js';

/** The servers and Sentinels of a run with --redis sentinel. */
export function sentinelsOf({ system: { redis } }: FaultContext): SentinelCluster {
  if (redis instanceof SentinelRedis) return redis.cluster;
  throw new Error('This fault is for --redis sentinel');
}
