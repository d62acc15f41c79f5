import { describe, expect, it } from 'vitest';
import { RedisSlotError, RedisTimeoutError } from '../connection/redis.errors.js';
import type { ClusterNode } from './cluster-node.js';
import { EpochDeletion, type EpochDeletionParts } from './epoch-deletion.js';

const never = () => new Promise<never>(() => {});
const silent = { connection: { sendAfterReconnect: never } } as unknown as ClusterNode;

const deletion = (parts: Partial<EpochDeletionParts>) =>
  new EpochDeletion({
    owner: () => silent,
    nodeAt: () => undefined,
    refresh: () => Promise.resolve(),
    timeoutMs: 20,
    ...parts,
  }).delete(['epoch']);

describe('the deletion of an epoch', () => {
  it('ends at its time limit while a node does not answer', async () => {
    await expect(deletion({})).rejects.toThrow(RedisTimeoutError);
  });

  it('ends at its time limit while the nodes do not say which of them is the primary', async () => {
    const failure = deletion({ owner: () => undefined, refresh: never });
    await expect(failure).rejects.toThrow(RedisSlotError);
    await expect(failure).rejects.toThrow(/no node serves the slot/);
  });
});
