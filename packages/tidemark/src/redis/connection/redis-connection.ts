/**
 * A connection to Redis that knows which server it talks to, and whether that server can be trusted to answer.
 *
 * A command that fails or is late, an error of the client and a closed connection all end the connection and mean
 * `down` (outage-state.ts). While not `up`, commands reject immediately. An attempt opens another connection. It is
 * `up` once the `run_id` of its server is known, the server is a primary (only a primary has the latest data), and the
 * heartbeat has succeeded.
 *
 * While `up`, heartbeats find stalls even if there is nothing to send. The interval and the time limit of a heartbeat
 * are together shorter than the time limit of a command: a stall that delays another process's command, so that its
 * write commits unpublished, is an outage for this process too. Each heartbeat reads the `run_id` again, since a proxy
 * may switch servers without closing connections. The owner of the data finds older data under the same `run_id` and
 * calls `distrust` (../data-canary.ts).
 *
 * With Sentinels each attempt asks them for the primary, and their announcement of another one is an error of the client
 * (sentinel-connector.ts).
 *
 * A client serves one connection, so an answer always comes over the connection on which its command was sent.
 */
import type { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { CoalescedWrites } from './coalesced-writes.js';
import { signInWith } from './credentials.js';
import { OutageState, type RedisLog } from './outage-state.js';
import { addressOf, createRedisClient, type RedisClientOptions } from './redis-client.factory.js';
import {
  OUTAGE_REPLIES,
  RedisCommandError,
  redisErrorOf,
  RedisUnavailableError,
  textOf,
} from './redis.errors.js';
import type { Answer, Command, RedisLink } from './redis-link.js';
import { readServerInfo } from './server-info.js';

export type RedisConnectionOptions = RedisClientOptions & {
  readonly heartbeat: Heartbeat;
  readonly log: RedisLog;
  /** Called for each command that the server refuses because it is at its memory limit. */
  readonly onOutOfMemory?: () => void;
};

/**
 * Sends commands immediately that write as the application writes, and change nothing: a server that refuses writes (a
 * replica, a failed snapshot, missing permissions) may still answer reads. Rejects if the server refuses a command that
 * the application needs.
 *
 * @param node `run_id` of the server.
 */
export type Heartbeat = (client: Redis, node: string) => Promise<unknown>;

interface Attempt {
  readonly client: Redis;
  readonly startedMs: number;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
const MAX_BEAT_INTERVAL_MS = 200;
/** Time limit of an attempt; a command's time limit applies if it is longer. */
const ATTEMPT_MS = 2_000;
/** Minimum wait of an urgent command for a running attempt that already exceeds a command's time limit. */
const LAST_LOOK_MS = 10;

export class RedisConnection extends OutageState implements RedisLink {
  readonly writes = new CoalescedWrites();
  /** The open connection, while `up`. */
  #open: { readonly client: Redis; readonly node: string } | undefined;
  #attempt: Attempt | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = MIN_RETRY_MS;
  #beats: NodeJS.Timeout | undefined;
  #beating = false;
  #evictionPolicy: string | undefined;
  #closed = false;

  private constructor(private readonly options: RedisConnectionOptions) {
    super(addressOf(options), options.log);
  }

  /**
   * Returns immediately, and keeps trying until {@link close}. Never rejects because Redis is unavailable.
   *
   * @throws RedisUrlError
   */
  static open(options: RedisConnectionOptions): RedisConnection {
    const connection = new RedisConnection(options);
    const intervalMs = Math.min(MAX_BEAT_INTERVAL_MS, options.timeoutMs / 4);
    connection.#beats = setInterval(() => void connection.#beat(), intervalMs).unref();
    void connection.#try();
    return connection;
  }

  get node(): string | undefined {
    return this.#open?.node;
  }

  /** `maxmemory-policy` of the last server seen: under `allkeys-*` marks may be dropped. */
  get evictionPolicy(): string | undefined {
    return this.#evictionPolicy;
  }

  /** Rejects with `RedisUnavailableError`, `RedisTimeoutError` or `RedisCommandError`. */
  async send<T>(
    name: string,
    command: Command<T>,
    timeoutMs = this.options.timeoutMs,
  ): Promise<Answer<T>> {
    if (!this.#open) throw new RedisUnavailableError(this.reason);
    const { client, node } = this.#open;
    try {
      this.writes.hold(client.stream);
      return { value: await withDeadline(command(client, node), timeoutMs, name), node };
    } catch (error) {
      const failure = redisErrorOf(name, error);
      if (!(failure instanceof RedisCommandError) || OUTAGE_REPLIES.has(failure.replyCode)) {
        this.#drop(client, textOf(error));
      } else if (failure.replyCode === 'OOM') this.options.onOutOfMemory?.();
      throw failure;
    }
  }

  async sendAfterReconnect<T>(name: string, command: Command<T>): Promise<Answer<T>> {
    if (!this.#open) await this.#tryOnceMore();
    const endMs = performance.now() + this.options.timeoutMs;
    const earlier = this.#open;
    try {
      return await this.send(name, command);
    } catch (error) {
      if (!earlier || !(error instanceof RedisUnavailableError)) throw error;
      await settled(this.#tryOnceMore(), endMs - performance.now());
      const leftMs = Math.floor(endMs - performance.now());
      if (leftMs < 1 || !this.#open) throw error;
      return this.send(name, command, leftMs);
    }
  }

  distrust(reason: string): void {
    if (this.#open) this.#drop(this.#open.client, reason);
    else this.fail(reason);
  }

  /** Lets commands in flight finish within the deadline, then closes. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beats);
    clearTimeout(this.#retry);
    const client = this.#open?.client;
    this.#open = undefined;
    this.retire();
    this.#attempt?.client.disconnect();
    if (client) await settled(client.quit(), this.options.timeoutMs);
    client?.disconnect();
  }

  /** Brings the connection up unless it is up. One attempt at a time. Never rejects. */
  #try(): Promise<void> {
    if (this.#attempt) return this.#attempt.ended;
    if (this.#open || this.#closed) return Promise.resolve();
    clearTimeout(this.#retry);
    const client = createRedisClient(this.options);
    const ended = this.#connect(client).finally(() => (this.#attempt = undefined));
    this.#attempt = { client, startedMs: performance.now(), ended };
    return ended;
  }

  async #connect(client: Redis): Promise<void> {
    let trouble: unknown;
    client.on('error', (error: unknown) => {
      trouble = error;
      this.#drop(client, textOf(error));
    });
    client.on('close', () => this.#drop(client, 'the connection was closed'));
    const limitMs = Math.max(ATTEMPT_MS, this.options.timeoutMs);
    try {
      await this.#signIn(client, limitMs);
      const examined = client.connect().then(() => this.#examine(client));
      const node = await withDeadline(examined, limitMs, 'a new connection');
      if (this.#closed || client.status !== 'ready') throw new Error('the connection was closed');
      this.#open = { client, node };
      this.#retryMs = MIN_RETRY_MS;
      this.recover();
    } catch (error) {
      client.disconnect();
      // The client's rejection has less detail than its error event.
      this.fail(textOf(trouble ?? error));
      this.#tryLater();
    }
  }

  async #signIn(client: Redis, limitMs: number): Promise<void> {
    const { credentials } = this.options;
    if (!credentials) return;
    await signInWith(credentials, client, limitMs);
    if (this.#closed) throw new Error('the connection was closed');
  }

  /** Resolves to the server's `run_id`. Rejects if the server cannot be used, or is not `node`. */
  async #examine(client: Redis, node?: string): Promise<string> {
    const mode = 'ofCluster' in this.options ? 'cluster' : 'standalone';
    const { runId, evictionPolicy, unfitness } = await readServerInfo(client, mode);
    if (node !== undefined && runId !== node) throw new Error('another server has taken its place');
    // The reason why a server is unfit is more useful than its refusal of the heartbeat.
    if (unfitness !== undefined) throw new Error(unfitness);
    this.#evictionPolicy = evictionPolicy;
    await this.options.heartbeat(client, runId);
    return runId;
  }

  /** Ends the client's connection, unless it has already ended. */
  #drop(client: Redis, reason: string): void {
    if (this.#open?.client !== client) return;
    this.#open = undefined;
    client.disconnect();
    this.#tryLater();
    this.fail(reason);
  }

  /** The delay doubles with each failure. */
  #tryLater(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => void this.#try(), this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }

  /** Resolves when the connection is up, when an attempt that began after the call has ended, or after a time limit. */
  async #tryOnceMore(): Promise<void> {
    const { timeoutMs } = this.options;
    const underWay = this.#attempt;
    if (underWay) {
      // The running attempt may have failed for a cause from before the call. If it takes long, its command waits in a
      // stalled server, which answers as soon as it continues.
      const leftMs = timeoutMs - (performance.now() - underWay.startedMs);
      await settled(underWay.ended, Math.max(leftMs, LAST_LOOK_MS));
      if (this.#attempt === underWay) return;
    }
    await settled(this.#try(), timeoutMs);
  }

  /** Runs at an interval. */
  async #beat(): Promise<void> {
    if (this.#beating || !this.#open) return;
    this.#beating = true;
    try {
      const beat: Command<string> = (client, node) => this.#examine(client, node);
      await this.send('a heartbeat', beat, this.options.timeoutMs / 2);
    } catch (error) {
      // After any refusal, writes cannot be published. Other failures have already ended the connection.
      if (error instanceof RedisCommandError) this.distrust(error.message);
    } finally {
      this.#beating = false;
    }
  }
}

/** Resolves when the promise has settled, or after the time limit. */
async function settled(promise: Promise<unknown>, limitMs: number): Promise<void> {
  await withDeadline(promise, limitMs, '').catch(() => undefined);
}
