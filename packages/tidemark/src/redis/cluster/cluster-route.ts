import { CoalescedWrites } from '../connection/coalesced-writes.js';
import type { RedisCommands, RedisRoute } from '../connection/redis-link.js';
import { RedisSlotError } from '../connection/redis.errors.js';
import type { RedisCluster } from './redis-cluster.js';
import { slotOf } from './slots.js';

const refuse = (name: string): Promise<never> =>
  Promise.reject(new RedisSlotError(name, 'no node serves the slot'));

const nowhere: RedisCommands = {
  writes: new CoalescedWrites(),
  send: refuse,
  sendAfterReconnect: refuse,
};

/** The way to the primary of a key's slot. Where the slot is elsewhere by now, commands reject with `RedisSlotError`. */
export function clusterRoute(cluster: Pick<RedisCluster, 'ownerOf'>): RedisRoute {
  return (key) => cluster.ownerOf(slotOf(key)) ?? nowhere;
}
