/**
 * One connection to Redis that knows whom it talks to and whether that one can be trusted to
 * answer.
 *
 * A command that fails or is late, an error of the client and a closed connection all mean `down`
 * (outage-state.ts). While not `up`, commands reject at once. A probe brings the connection `up`
 * again, and never before the `run_id` of the server behind the present connection is known and
 * the server is a primary: a replica's data may be older than what was already seen.
 *
 * While `up`, a heartbeat looks for stalls also when there is nothing to send. It beats so often,
 * and is so impatient, that a stall of the server which makes a command of another process late
 * is noticed here too: what that process could not announce, this one must know to distrust.
 *
 * The client sends nothing twice and keeps nothing waiting (redis-client.factory.ts), so an
 * answer always comes over the connection that was in use when its command was sent.
 */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { OUTAGE_REPLIES } from './outage-replies.js';
import { OutageState, type RedisLog, type RedisState } from './outage-state.js';
import { RedisCommandError, RedisTimeoutError, RedisUnavailableError } from './redis.errors.js';
import { readServerFacts, type ServerFacts } from './server-facts.js';

export interface RedisConnectionOptions {
  /**
   * A key that is never set. A heartbeat deletes it: a write that changes nothing, which a server
   * refuses that refuses writes, while it may well go on answering reads.
   */
  readonly heartbeatKey: string;
  /** For messages; has no user and no password. */
  readonly address: string;
  readonly timeoutMs: number;
  readonly log: RedisLog;
  /** Longest time between two looks at the connection. */
  readonly probeIntervalMs?: number;
  /** How long an open connection may stay silent before it is replaced. */
  readonly silenceLimitMs?: number;
}

/** An answer and the `run_id` of the server that gave it. */
export interface Answer<T> {
  readonly value: T;
  readonly node: string;
}

const PROBE_INTERVAL_MS = 200;
const SILENCE_LIMIT_MS = 5_000;

export class RedisConnection {
  /** Without user and password. */
  readonly address: string;
  readonly #client: Redis;
  readonly #timeoutMs: number;
  readonly #heartbeatLimitMs: number;
  readonly #heartbeatKey: string;
  readonly #watchIntervalMs: number;
  readonly #silenceLimitMs: number;
  readonly #outage: OutageState;
  #closed = false;
  /** Changes whenever a connection opens or closes. */
  #generation = 0;
  /** Of the server behind the present connection; `undefined` until it has told. */
  #facts: ServerFacts | undefined;
  #evictionPolicy: string | undefined;
  #watch: NodeJS.Timeout | undefined;
  #probing = false;
  #beating = false;
  #silentSinceMs = performance.now();

  constructor(client: Redis, options: RedisConnectionOptions) {
    this.#client = client;
    this.address = options.address;
    this.#timeoutMs = options.timeoutMs;
    this.#heartbeatLimitMs = options.timeoutMs / 2;
    this.#heartbeatKey = options.heartbeatKey;
    this.#watchIntervalMs = Math.min(
      options.probeIntervalMs ?? PROBE_INTERVAL_MS,
      options.timeoutMs / 4,
    );
    this.#silenceLimitMs = options.silenceLimitMs ?? Math.max(SILENCE_LIMIT_MS, options.timeoutMs);
    this.#outage = new OutageState(options.address, options.log);
    client.on('connect', () => (this.#silentSinceMs = performance.now()));
    client.on('ready', () => this.#opened());
    client.on('close', () => this.#lost());
    client.on('error', (error: unknown) => this.#outage.fail(textOf(error)));
  }

  get state(): RedisState {
    return this.#outage.state;
  }

  /** Why the connection is not up, in words for people; the last reason while it is up. */
  get reason(): string {
    return this.#outage.reason;
  }

  /** How often the connection has gone down. Has grown before `onDown` listeners run. */
  get outages(): number {
    return this.#outage.outages;
  }

  /** `run_id` of the server behind the present connection, while known. */
  get node(): string | undefined {
    return this.#facts?.runId;
  }

  /** `maxmemory-policy` of the last server seen: under `allkeys-*` marks may be dropped. */
  get evictionPolicy(): string | undefined {
    return this.#evictionPolicy;
  }

  /** Returns at once. Connects, and goes on trying until {@link close}. */
  start(): void {
    this.#watch ??= setInterval(() => this.#look(), this.#watchIntervalMs).unref();
    this.#connect();
  }

  /**
   * Sends one command and waits for the answer. `command` must call the client before it first
   * awaits, and once only. Rejects with `RedisUnavailableError`, `RedisTimeoutError` or
   * `RedisCommandError`; `name` is for messages.
   */
  async send<T>(
    name: string,
    command: (client: Redis, node: string) => Promise<T>,
  ): Promise<Answer<T>> {
    return this.#exchange(name, this.#timeoutMs, command);
  }

  /** Answers a function that takes the listener off again. */
  onDown(listener: (reason: string) => void): () => void {
    return this.#outage.on('down', listener);
  }

  /** Answers a function that takes the listener off again. */
  onUp(listener: () => void): () => void {
    return this.#outage.on('up', listener);
  }

  /** Lets commands in flight finish within the deadline, then closes. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    const wasUp = this.state === 'up';
    this.#outage.close();
    if (wasUp) {
      const quit = Promise.all([once(this.#client, 'end'), this.#client.quit()]);
      await withDeadline(
        quit,
        this.#timeoutMs,
        () => new RedisTimeoutError('QUIT', this.#timeoutMs),
      ).catch(() => undefined);
    }
    if (this.#client.status !== 'end') this.#client.disconnect();
  }

  async #exchange<T>(
    name: string,
    timeoutMs: number,
    command: (client: Redis, node: string) => Promise<T>,
  ): Promise<Answer<T>> {
    const node = this.#facts?.runId;
    if (this.state !== 'up' || node === undefined) throw new RedisUnavailableError(this.reason);
    const generation = this.#generation;
    try {
      const late = (): Error => new RedisTimeoutError(name, timeoutMs);
      const value = await withDeadline(command(this.#client, node), timeoutMs, late);
      return { value, node };
    } catch (error) {
      throw this.#judge(name, error, generation === this.#generation);
    }
  }

  #connect(): void {
    // Failures arrive as `error` and `close` events too, and are told from there.
    this.#client.connect().catch(() => undefined);
  }

  #opened(): void {
    this.#generation += 1;
    this.#facts = undefined;
    void this.#probe();
  }

  #lost(): void {
    this.#generation += 1;
    this.#facts = undefined;
    this.#probing = false;
    if (this.state !== 'down') this.#outage.fail('the connection was closed');
  }

  /** Runs at an interval. */
  #look(): void {
    if (this.state === 'up') {
      void this.#beat();
      return;
    }
    const isSilent = performance.now() - this.#silentSinceMs > this.#silenceLimitMs;
    switch (this.#client.status) {
      case 'ready':
        if (!this.#probing) void this.#probe();
        else if (isSilent) this.#reconnect();
        break;
      case 'connect':
        if (isSilent) this.#reconnect();
        break;
      case 'wait':
      case 'end':
        this.#connect();
        break;
      default:
        break;
    }
  }

  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    // A failure has been told by the time it arrives here.
    await this.#exchange('a heartbeat', this.#heartbeatLimitMs, (client) =>
      client.del(this.#heartbeatKey),
    ).catch(() => undefined);
    this.#beating = false;
  }

  #reconnect(): void {
    this.#silentSinceMs = performance.now();
    this.#facts = undefined;
    this.#client.disconnect(true);
  }

  async #probe(): Promise<void> {
    const generation = this.#generation;
    this.#probing = true;
    this.#silentSinceMs = performance.now();
    try {
      const asked = this.#facts === undefined ? await readServerFacts(this.#client) : undefined;
      // A replica says that it is one, which tells more than the write it refuses.
      if (asked?.isPrimary !== false) await this.#client.del(this.#heartbeatKey);
      if (generation === this.#generation) this.#weigh(asked);
    } catch (error) {
      if (generation === this.#generation) {
        // It may be another server, or have another role, by the time it can serve again.
        this.#facts = undefined;
        this.#outage.fail(textOf(error));
      }
    } finally {
      if (generation === this.#generation) this.#probing = false;
    }
  }

  /** A probe was answered, with facts where they were asked for. */
  #weigh(asked: ServerFacts | undefined): void {
    if (asked !== undefined) {
      this.#evictionPolicy = asked.evictionPolicy;
      if (!asked.isPrimary) {
        this.#outage.fail('the server is a replica, its data may be old');
        return;
      }
      this.#facts = asked;
    }
    if (this.#facts !== undefined) this.#outage.recover();
  }

  /** Turns an error of the client into one of ours, and goes down where it means an outage. */
  #judge(name: string, error: unknown, isPresent: boolean): Error {
    const text = textOf(error);
    if (error instanceof Error && error.name === 'ReplyError') {
      const replyCode = text.split(' ', 1)[0] ?? '';
      if (isPresent && OUTAGE_REPLIES.has(replyCode)) {
        this.#outage.fail(text);
        // The server may have been demoted: ask again who it is, over a new connection.
        if (replyCode === 'READONLY') this.#reconnect();
      }
      return new RedisCommandError(name, replyCode, text);
    }
    if (isPresent) this.#outage.fail(text);
    if (!(error instanceof RedisTimeoutError)) return new RedisUnavailableError(text);
    if (isPresent && !this.#probing && this.#client.status === 'ready') void this.#probe();
    return error;
  }
}

/** The message alone: the client's errors carry commands with their arguments, passwords too. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
