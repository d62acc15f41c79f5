/**
 * The way to one bucket of a Redis Cluster: to the node that is the primary of the bucket's slot, wherever that is.
 *
 * To the stores the link is what a connection is to a single Redis, with outages of its own. It is down
 * - while the connection to the node is down, or the slot has no primary;
 * - from the moment at which another node is the primary, until a heartbeat of the bucket has succeeded there. This is
 *   an outage even if no command has failed: the earlier primary may have confirmed writes that the new one never got,
 *   and other processes may have written to the new one already;
 * - while a node says that the slot is being moved. Commands answer from a part of the keys then, and keys that come
 *   back after a given up move would be older than the writes in between. An outage afterwards replaces all epochs;
 * - after a reply to any command has concerned the slot: the move that it shows may have been given up since;
 * - after the heartbeat of the bucket has failed.
 *
 * A slot that moves while its node goes on serving other slots concerns its bucket alone.
 */
import type { Redis } from 'ioredis';
import { CoalescedWrites } from '../connection/coalesced-writes.js';
import { withDeadline } from '../connection/deadline.js';
import { OutageState } from '../connection/outage-state.js';
import type { RedisLog } from '../connection/outage-state.js';
import type { RedisConnection } from '../connection/redis-connection.js';
import type { Answer, Command, RedisLink } from '../connection/redis-link.js';
import { RedisSlotError, RedisUnavailableError, textOf } from '../connection/redis.errors.js';
import type { SlotFollower } from './redis-cluster.js';
import { SlotReply, withSlotReplies } from './slot-replies.js';

interface BucketLinkParts {
  readonly slot: number;
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: RedisLog;
  /** Writes to the bucket as the stores do. Rejects if the bucket cannot be written to. */
  readonly heartbeat: Command<unknown>;
  /** Asks the nodes which of them is the primary of the slot. Never rejects. */
  readonly refresh: () => Promise<void>;
}

const MOVING = 'its slot is being moved to another node';
const MOVED = 'another node serves its slot now';
const UNOWNED = 'no node serves its slot';

/** Of a link without a connection, whose commands fail. */
const noWrites = new CoalescedWrites();

export class BucketLink extends OutageState implements RedisLink, SlotFollower {
  readonly slot: number;
  #connection: RedisConnection | undefined;
  #isMoving = false;
  /** The bucket's heartbeat has succeeded over a connection that is not up yet. */
  #isServed = false;
  /** The link is down because of the slot, not of its node: a write may still be possible elsewhere. */
  #isOfSlot = false;
  #failures = 0;

  constructor(private readonly parts: BucketLinkParts) {
    super(undefined, parts.log);
    this.slot = parts.slot;
  }

  get node(): string | undefined {
    return this.state === 'up' ? this.#connection?.node : undefined;
  }

  get writes(): CoalescedWrites {
    return this.#connection?.writes ?? noWrites;
  }

  /** Whether a node says that the slot is being moved. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  isVia(connection: RedisConnection): boolean {
    return this.#connection === connection;
  }

  route(connection: RedisConnection | undefined): void {
    if (connection !== this.#connection) {
      const hadOne = this.#connection !== undefined;
      this.#connection = connection;
      this.#isServed = false;
      if (hadOne) this.#fail(connection ? MOVED : UNOWNED);
    }
    if (!connection) this.#failOnce(UNOWNED);
    else if (connection.state === 'down') this.#failOnce(connection.reason);
    else if (connection.state === 'up' && this.#isServed) this.#recover();
    else if (connection.state === 'up') void this.#probe();
  }

  setMoving(isMoving: boolean): void {
    const wasMoving = this.#isMoving;
    this.#isMoving = isMoving;
    if (isMoving && !wasMoving) this.#fail(MOVING, true);
    if (wasMoving && !isMoving) void this.#probe();
  }

  distrust(reason: string): void {
    this.#fail(reason);
  }

  /** The bucket's part of its node's heartbeat. Rejects for reasons that concern the node. */
  async beat(client: Redis, runId: string): Promise<void> {
    const [connection, failures] = [this.#connection, this.#failures];
    const answer = await withSlotReplies(this.parts.heartbeat)(client, runId);
    if (connection !== this.#connection || failures !== this.#failures) return;
    if (answer instanceof SlotReply) this.#failBy(answer);
    else if (!this.#isMoving) {
      this.#isServed = true;
      if (connection?.state === 'up') this.#recover();
    }
  }

  async send<T>(
    name: string,
    command: Command<T>,
    timeoutMs = this.parts.timeoutMs,
  ): Promise<Answer<T>> {
    const startedMs = performance.now();
    const answer = await this.#sendOnce(name, command, timeoutMs);
    if (!(answer.value instanceof SlotReply)) return answer as Answer<T>;
    this.#failBy(answer.value);
    if (answer.value.kind === 'moved') {
      const leftMs = (): number => Math.floor(startedMs + timeoutMs - performance.now());
      await this.#bringUp(leftMs());
      if (this.state === 'up' && leftMs() >= 1) {
        const again = await this.#sendOnce(name, command, leftMs());
        if (!(again.value instanceof SlotReply)) return again as Answer<T>;
        this.#failBy(again.value);
      }
    }
    void this.parts.refresh();
    throw new RedisSlotError(name, answer.value.text);
  }

  async sendAfterReconnect<T>(name: string, command: Command<T>): Promise<Answer<T>> {
    const { timeoutMs } = this.parts;
    if (this.state !== 'up') await this.#bringUp(timeoutMs);
    const endMs = performance.now() + timeoutMs;
    const wasUp = this.state === 'up';
    try {
      return await this.send(name, command);
    } catch (error) {
      if (!wasUp || !(error instanceof RedisUnavailableError)) throw error;
      await this.#bringUp(endMs - performance.now());
      const leftMs = Math.floor(endMs - performance.now());
      if (leftMs < 1 || this.state !== 'up') throw error;
      return this.send(name, command, leftMs);
    }
  }

  #sendOnce<T>(
    name: string,
    command: Command<T>,
    timeoutMs: number,
  ): Promise<Answer<T | SlotReply>> {
    if (this.state === 'up' && this.#connection) {
      return this.#connection.send(name, withSlotReplies(command), timeoutMs);
    }
    return Promise.reject(
      this.#isMoving || this.#isOfSlot
        ? new RedisSlotError(name, this.reason)
        : new RedisUnavailableError(this.reason),
    );
  }

  /** Looks for the primary of the slot, and tries it. Never rejects. */
  async #bringUp(limitMs: number): Promise<void> {
    if (this.#isMoving) return;
    const tried = this.parts.refresh().then(() => this.#probe());
    await withDeadline(tried, limitMs, '').catch(() => undefined);
  }

  /** Sends the bucket's heartbeat apart from that of its node. Never rejects. */
  async #probe(): Promise<void> {
    const connection = this.#connection;
    if (!connection || this.#isMoving || this.state === 'up') return;
    const beat: Command<void> = (client, node) => this.beat(client, node);
    try {
      await connection.sendAfterReconnect('a heartbeat of a bucket', beat);
    } catch (error) {
      if (connection === this.#connection) this.#failOnce(textOf(error));
    }
  }

  #failOnce(reason: string): void {
    if (this.state !== 'down') this.#fail(reason);
  }

  #recover(): void {
    this.#isOfSlot = false;
    this.recover();
  }

  #failBy({ kind, text }: SlotReply): void {
    this.#fail(kind === 'moved' ? MOVED : text, kind !== 'down');
  }

  #fail(reason: string, isOfSlot = false): void {
    this.#failures += 1;
    this.#isServed = false;
    this.#isOfSlot = isOfSlot || (this.state === 'down' && this.#isOfSlot);
    this.fail(this.#isMoving ? MOVING : reason);
  }
}
