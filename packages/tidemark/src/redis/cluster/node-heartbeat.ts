import type { Redis } from 'ioredis';
import type { RedisKeys } from '../redis-keys.js';
import { checkCommands } from '../redis-heartbeat.js';
import type { BucketLink } from './bucket-link.js';
import { SlotReply, withSlotReplies } from './slot-replies.js';

interface NodeHeartbeatParts {
  /** The buckets whose slots the node has. */
  readonly links: readonly BucketLink[];
  /** Keys that lie on the node; `undefined` if it has no slots. */
  readonly keys: Pick<RedisKeys, 'ofHeartbeat'> | undefined;
}

/**
 * The heartbeat of one node of a cluster: checks that the cache can do there everything that it needs, and the buckets
 * that lie there. All commands are sent at once. Rejects for reasons that concern the whole node.
 *
 * Resolves to whether the server refuses commands that need more memory; `undefined`: unknown, since the slot of the
 * keys is being moved.
 */
export async function beatNode(
  client: Redis,
  node: string,
  { links, keys }: NodeHeartbeatParts,
): Promise<boolean | undefined> {
  const beats = Promise.all(links.map((link) => link.beat(client, node)));
  // The check below names the refused command.
  beats.catch(() => undefined);
  const checked = keys && (await withSlotReplies(() => checkCommands(client, keys))(client, node));
  if (checked instanceof SlotReply && checked.text.includes('The cluster is down')) {
    throw new Error(checked.text);
  }
  await beats;
  return checked instanceof SlotReply ? undefined : checked?.isFull;
}
