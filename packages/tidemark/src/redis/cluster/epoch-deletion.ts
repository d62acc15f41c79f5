/**
 * Publishes writes to tables whose slot is being moved, by deleting the tables' epochs.
 *
 * While a slot is moved from A to B, each of its keys is in one of both: A answers only for the keys that it still has,
 * and B only where ASKING precedes the command. The scripts never run on B: a version that has not arrived there yet
 * looks missing, so `begin` would not replace it, and it would arrive later with its old value. And a script that fails
 * half-way on A has replaced some versions, and not those that are in B already.
 *
 * Without its epoch nothing of a table counts, and the next epoch waits for the open writers (core/settlement.ts). To
 * delete it takes one command with one key, which is correct on either side:
 * - A has the epoch, and deletes it. It never arrives in B.
 * - A no longer has it and answers ASK. B has it, and deletes it.
 * - A move of the epoch that was cut off can leave it in both. So A is asked again after it has deleted it, answers ASK,
 *   and B deletes its copy too.
 * - The move is given up, and the epoch comes back to A between the two questions. So the deletion counts only when two
 *   rounds in a row have found no epoch.
 *
 * Whatever the move does to other keys afterwards, they belong to the deleted epoch: their versions count as missing
 * under another one, and marks and register of another epoch drop the epoch that they are found beside (open_table of
 * scripts/table-functions.ts).
 *
 * A write can also meet no sign of a move that is given up: A has its slot for itself again, while keys are still in B,
 * and come back later. Redis lets them leave B only while B has the slot open, and each process is connected to B, with
 * slots or without. So the outage of the bucket ends after the keys are back, and then replaces the epoch of the schema:
 * no answer from before counts (bucket-link.ts). A process that cannot reach B, or meets no sign at all since the whole
 * move fits between two heartbeats, misses this (docs/limits.md).
 */
import { withDeadline } from '../connection/deadline.js';
import type { NodeEndpoint } from '../connection/node-address.js';
import type { RedisConnection } from '../connection/redis-connection.js';
import { RedisSlotError } from '../connection/redis.errors.js';
import type { ClusterNode } from './cluster-node.js';
import { SlotReply, withSlotReplies } from './slot-replies.js';

export interface EpochDeletionParts {
  /** The primary of the slot; `undefined` if there is none. */
  readonly owner: () => ClusterNode | undefined;
  /** By an address that a node has given; `undefined` if it is not known yet. */
  readonly nodeAt: (endpoint: NodeEndpoint) => ClusterNode | undefined;
  /** Asks the nodes which of them is the primary, after a pause if that has just been done. Never rejects. */
  readonly refresh: () => Promise<void>;
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
}

const NAME = 'DEL of an epoch';
const ROUNDS = 2;

export class EpochDeletion {
  constructor(private readonly parts: EpochDeletionParts) {}

  /** Resolves when no node has an epoch under the keys. Rejects with a `RedisError`, at the time limit too. */
  async delete(keys: readonly string[]): Promise<void> {
    const endMs = performance.now() + this.parts.timeoutMs;
    await Promise.all(keys.map((key) => this.#delete(key, endMs)));
  }

  async #delete(key: string, endMs: number): Promise<void> {
    const inTime = <T>(step: Promise<T>): Promise<T> =>
      withDeadline(step, Math.max(Math.ceil(endMs - performance.now()), 1), NAME);
    let trouble = 'the epoch comes back';
    for (let quietRounds = 0; quietRounds < ROUNDS;) {
      if (performance.now() > endMs) {
        throw new RedisSlotError(NAME, `it is being moved (${trouble})`);
      }
      const found = await inTime(this.#round(key));
      if (found instanceof SlotReply) {
        trouble = found.text;
        quietRounds = 0;
        await inTime(this.parts.refresh()).catch(() => undefined);
      } else quietRounds = found === 0 ? quietRounds + 1 : 0;
    }
  }

  /** The number of epochs deleted. A `SlotReply`: neither node has the slot. */
  async #round(key: string): Promise<number | SlotReply> {
    const owner = this.parts.owner();
    if (!owner) return new SlotReply('down', 'no node serves the slot');
    const found = await this.#ask(owner.connection, key, false);
    if (!(found instanceof SlotReply) || found.kind !== 'ask' || !found.target) return found;
    const { port, host } = found.target;
    const receiver = this.parts.nodeAt({ port, host: host || owner.endpoint.host });
    return receiver ? this.#ask(receiver.connection, key, true) : found;
  }

  async #ask(
    connection: RedisConnection,
    key: string,
    isAsking: boolean,
  ): Promise<number | SlotReply> {
    const command = withSlotReplies(async (client) => {
      const [, deleted] = await Promise.all([isAsking && client.asking(), client.del(key)]);
      return deleted;
    });
    return (await connection.sendAfterReconnect(NAME, command)).value;
  }
}
