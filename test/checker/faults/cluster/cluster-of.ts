import { ClusterRedis } from '../../redis/cluster-redis.js';
import type { FaultContext } from '../fault.js';

/** The nodes of a run with --redis cluster. */
export function clusterOf({ system: { redis } }: FaultContext): ClusterRedis {
  if (redis instanceof ClusterRedis) return redis;
  throw new Error('This fault is for --redis cluster');
}
