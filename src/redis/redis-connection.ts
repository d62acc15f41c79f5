/**
 * One connection to Redis that knows whom it talks to and whether that one can be trusted to answer.
 *
 * A command that fails or is late, an error of the client and a closed connection all mean `down`
 * (outage-state.ts). While not `up`, commands reject at once. A probe brings the connection `up`
 * again, and never before the `run_id` of the server behind the present connection is known and
 * the server is a primary: a replica's data may be older than what was already seen.
 *
 * While `up`, a heartbeat looks for stalls also when there is nothing to send. It beats so often,
 * and is so impatient, that a stall of the server which makes a command of another process late
 * is noticed here too: what that process could not announce, this one must know to distrust.
 * Now and then it asks who the server is, so that a proxy that has switched servers without
 * closing connections is found out in the end. Older data under the same `run_id` are found out by
 * those who keep data there, and told by `distrust` (query-cache/stores/data-canary.ts).
 *
 * The client sends nothing twice and keeps nothing waiting (redis-client.factory.ts), so an
 * answer always comes over the connection that was in use when its command was sent.
 */
import type { Redis } from 'ioredis';
import { Comeback } from './comeback.js';
import { withDeadline } from './deadline.js';
import { OUTAGE_REPLIES, redisErrorOf, textOf } from './client-error.js';
import { GatheredWrites } from './gathered-writes.js';
import { KnownServer } from './known-server.js';
import { OutageState, type RedisState } from './outage-state.js';
import type { Answer, RedisConnectionOptions } from './redis-connection.options.js';
import { RedisCommandError, RedisTimeoutError, RedisUnavailableError } from './redis.errors.js';
import { timingOf, type ConnectionTiming } from './redis-connection.timing.js';
import { quit } from './quit.js';
import { ReconnectTimer } from './reconnect-timer.js';
import { readServerFacts } from './server-facts.js';

export class RedisConnection {
  /** How commands leave. */
  readonly writes = new GatheredWrites();
  readonly #timing: ConnectionTiming;
  readonly #outage: OutageState;
  #closed = false;
  /** Changes whenever a connection opens or closes. */
  #generation = 0;
  readonly #server = new KnownServer();
  #watch: NodeJS.Timeout | undefined;
  #probing: Promise<void> | undefined;
  #beating = false;
  #silentSinceMs = performance.now();
  readonly #retry = new ReconnectTimer(() => this.#connect());
  readonly #comeback: Comeback;

  constructor(
    private readonly client: Redis,
    private readonly options: RedisConnectionOptions,
  ) {
    this.#timing = timingOf(options.timeoutMs);
    this.#outage = new OutageState(options.address, options.log);
    this.#comeback = new Comeback({
      client,
      isClosed: () => this.#closed,
      probing: () => this.#probing,
      probe: () => this.#probe(),
      connect: () => this.#connect(),
      onUp: (listener) => this.onUp(listener),
      limitMs: () => this.#attemptLimitMs(),
    });
    client.on('connect', () => (this.#silentSinceMs = performance.now()));
    client.on('ready', () => this.#opened());
    client.on('close', () => this.#lost());
    client.on('end', () => this.#retry.start());
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
    return this.#server.facts?.runId;
  }

  /** `maxmemory-policy` of the last server seen: under `allkeys-*` marks may be dropped. */
  get evictionPolicy(): string | undefined {
    return this.#server.evictionPolicy;
  }

  /** Returns at once. Connects, and goes on trying until {@link close}. */
  start(): void {
    this.#watch ??= setInterval(() => this.#look(), this.#timing.watchIntervalMs).unref();
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
    timeoutMs = this.#timing.timeoutMs,
  ): Promise<Answer<T>> {
    const { node } = this;
    if (this.state !== 'up' || node === undefined) throw new RedisUnavailableError(this.reason);
    const generation = this.#generation;
    try {
      this.writes.hold(this.client.stream);
      const late = (): Error => new RedisTimeoutError(name, timeoutMs);
      const value = await withDeadline(command(this.client, node), timeoutMs, late);
      return { value, node };
    } catch (error) {
      throw this.#judge(name, error, generation === this.#generation);
    }
  }

  /**
   * As {@link send}; but while the connection is not up, an attempt to reach Redis that begins
   * after the call has to fail first. A command whose connection breaks is sent once more over
   * another one, within the time that one command has: it may be carried out twice.
   */
  async sendUrgently<T>(
    name: string,
    command: (client: Redis, node: string) => Promise<T>,
  ): Promise<Answer<T>> {
    if (this.state !== 'up' && !this.#closed) await this.#comeback.tried();
    if (this.state !== 'up') return this.send(name, command);
    const generation = this.#generation;
    const endMs = performance.now() + this.#timing.timeoutMs;
    try {
      return await this.send(name, command);
    } catch (error) {
      if (this.#closed || !(error instanceof RedisUnavailableError)) throw error;
      await this.#comeback.triedAnew(endMs - performance.now());
      const leftMs = Math.floor(endMs - performance.now());
      if (leftMs < 1 || generation === this.#generation) throw error;
      return this.send(name, command, leftMs);
    }
  }

  /** Counts as an outage, and ends with a probe that asks everything. */
  distrust(reason: string): void {
    this.#server.forget();
    this.#outage.fail(reason);
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
    this.#retry.close();
    const wasUp = this.state === 'up';
    this.#outage.close();
    if (wasUp) await quit(this.client, this.#timing.timeoutMs);
    if (this.client.status !== 'end') this.client.disconnect();
  }

  #connect(): void {
    this.#retry.cancel();
    // Failures arrive as `error` and `close` events too, and are told from there.
    this.client.connect().catch(() => undefined);
  }

  #opened(): void {
    this.#retry.connected();
    this.#generation += 1;
    this.#server.forget();
    void this.#probe();
  }

  #lost(): void {
    this.#generation += 1;
    this.#server.forget();
    this.#probing = undefined;
    if (this.state !== 'down') this.#outage.fail('the connection was closed');
  }

  /** Runs at an interval. */
  #look(): void {
    if (this.state === 'up') return void this.#beat();
    const isSilent = performance.now() - this.#silentSinceMs > this.#timing.silenceLimitMs;
    const { status } = this.client;
    if (status === 'ready' && this.#probing === undefined) void this.#probe();
    else if (status === 'ready' || status === 'connect') {
      if (isSilent) this.#reconnect();
    }
  }

  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      const { heartbeat } = this.options;
      const beat = (client: Redis, node: string): Promise<unknown> => heartbeat.beat(client, node);
      const answer = await this.send('a heartbeat', beat, this.#timing.heartbeatLimitMs);
      heartbeat.answered?.(answer.value);
      if (this.#server.isDue(this.#timing.factsIntervalMs)) await this.#lookAgain();
    } catch (error) {
      // Refused for whatever reason: writes cannot be announced. Other failures have been told.
      if (error instanceof RedisCommandError) this.distrust(error.message);
    } finally {
      this.#beating = false;
    }
  }

  async #lookAgain(): Promise<void> {
    const generation = this.#generation;
    const { value } = await this.send('INFO', readServerFacts);
    if (generation !== this.#generation) return;
    const { node } = this;
    this.#server.learn(value);
    if (value.runId !== node) this.#outage.fail('another server has taken its place');
    else if (value.unfitness !== undefined) this.#outage.fail(value.unfitness);
    else return;
    this.#reconnect();
  }

  /** How long an attempt to come up may take, in milliseconds. */
  #attemptLimitMs(): number {
    const { timeoutMs, lastLookMs } = this.#timing;
    const silentForMs = performance.now() - this.#silentSinceMs;
    // A question that waits in a server that stands still is answered as soon as it goes on.
    const isWaiting = this.client.status === 'connect' || this.#probing !== undefined;
    return isWaiting && silentForMs > timeoutMs ? lastLookMs : timeoutMs;
  }

  #reconnect(): void {
    this.#silentSinceMs = performance.now();
    this.#server.forget();
    this.client.disconnect(true);
  }

  /** One at a time. Never rejects. */
  #probe(): Promise<void> {
    if (this.#probing !== undefined) return this.#probing;
    const generation = this.#generation;
    this.#silentSinceMs = performance.now();
    this.#probing = this.#ask(generation).finally(() => {
      if (generation === this.#generation) this.#probing = undefined;
    });
    return this.#probing;
  }

  async #ask(generation: number): Promise<void> {
    try {
      const asked = this.#server.facts ?? (await readServerFacts(this.client));
      // Why a server is unfit tells more than that it refuses the heartbeat.
      if (asked.unfitness !== undefined) throw new Error(asked.unfitness);
      await this.options.heartbeat.beat(this.client, asked.runId);
      if (generation !== this.#generation) return;
      this.#server.learn(asked);
      this.#outage.recover();
    } catch (error) {
      if (generation !== this.#generation) return;
      // It may be another server, or have another role, by the time it can serve again.
      this.#server.forget();
      this.#outage.fail(textOf(error));
    }
  }

  /** Turns an error of the client into one of ours, and goes down where it means an outage. */
  #judge(name: string, error: unknown, isPresent: boolean): Error {
    const told = redisErrorOf(name, error);
    if (!isPresent) return told;
    if (!(told instanceof RedisCommandError)) {
      this.#outage.fail(textOf(error));
      if (told instanceof RedisTimeoutError && this.client.status === 'ready') void this.#probe();
    } else if (told.replyCode === 'OOM') {
      this.options.onOutOfMemory?.();
    } else if (OUTAGE_REPLIES.has(told.replyCode)) {
      this.distrust(textOf(error));
      // The server may have been demoted: ask again who it is, over a new connection.
      if (told.replyCode === 'READONLY') this.#reconnect();
    }
    return told;
  }
}
