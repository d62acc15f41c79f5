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
 * closing connections is found out in the end.
 *
 * The client sends nothing twice and keeps nothing waiting (redis-client.factory.ts), so an
 * answer always comes over the connection that was in use when its command was sent.
 */
import type { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { redisErrorOf, textOf } from './client-error.js';
import { GatheredWrites } from './gathered-writes.js';
import { OUTAGE_REPLIES } from './outage-replies.js';
import { OutageState, type RedisState } from './outage-state.js';
import type { Answer, RedisConnectionOptions } from './redis-connection.options.js';
import { RedisCommandError, RedisTimeoutError, RedisUnavailableError } from './redis.errors.js';
import { timingOf, type ConnectionTiming } from './redis-connection.timing.js';
import { quit } from './quit.js';
import { ReconnectTimer } from './reconnect-timer.js';
import { readServerFacts, type ServerFacts } from './server-facts.js';
import { SharedAttempt } from './shared-attempt.js';
import { untilAny } from './until-any.js';

export class RedisConnection {
  /** How commands leave. */
  readonly writes = new GatheredWrites();
  readonly #timing: ConnectionTiming;
  readonly #outage: OutageState;
  #closed = false;
  /** Changes whenever a connection opens or closes. */
  #generation = 0;
  /** Of the server behind the present connection; `undefined` until it has told. */
  #facts: ServerFacts | undefined;
  #evictionPolicy: string | undefined;
  #watch: NodeJS.Timeout | undefined;
  #probing: Promise<void> | undefined;
  #beating = false;
  #silentSinceMs = performance.now();
  #factsAtMs = 0;
  readonly #retry = new ReconnectTimer(() => this.#connect());
  readonly #attempt = new SharedAttempt(() => this.#tryNow());

  constructor(
    private readonly client: Redis,
    private readonly options: RedisConnectionOptions,
  ) {
    this.#timing = timingOf(options);
    this.#outage = new OutageState(options.address, options.log);
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
    return this.#facts?.runId;
  }

  /** `maxmemory-policy` of the last server seen: under `allkeys-*` marks may be dropped. */
  get evictionPolicy(): string | undefined {
    return this.#evictionPolicy;
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
    const node = this.#facts?.runId;
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
   * after the call has to fail first. Waits as long as one command may take.
   */
  async sendUrgently<T>(
    name: string,
    command: (client: Redis, node: string) => Promise<T>,
  ): Promise<Answer<T>> {
    if (this.state !== 'up' && !this.#closed) await this.#attempt.made();
    return this.send(name, command);
  }

  /** Counts as an outage, and ends with a probe that asks everything. */
  distrust(reason: string): void {
    this.#facts = undefined;
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
    this.#facts = undefined;
    void this.#probe();
  }

  #lost(): void {
    this.#generation += 1;
    this.#facts = undefined;
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
      const beat = (client: Redis): Promise<unknown> => this.options.heartbeat.beat(client);
      const answer = await this.send('a heartbeat', beat, this.#timing.heartbeatLimitMs);
      this.options.heartbeat.answered?.(answer.value);
      if (performance.now() - this.#factsAtMs > this.#timing.factsIntervalMs)
        await this.#lookAgain();
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
    this.#factsAtMs = performance.now();
    this.#evictionPolicy = value.evictionPolicy;
    if (value.runId !== this.#facts?.runId) this.#outage.fail('another server has taken its place');
    else if (value.unfitness !== undefined) this.#outage.fail(value.unfitness);
    else return;
    this.#reconnect();
  }

  /** Resolves when the connection is up, or when an attempt to bring it up has failed. */
  #tryNow(): Promise<void> {
    const { timeoutMs, lastLookMs } = this.#timing;
    const silentForMs = performance.now() - this.#silentSinceMs;
    // A question that waits in a server that stands still is answered as soon as it goes on.
    const isWaiting = this.client.status === 'connect' || this.#probing !== undefined;
    const limitMs = isWaiting && silentForMs > timeoutMs ? lastLookMs : timeoutMs;
    return untilAny(limitMs, [
      (done) => this.onUp(done),
      (done) => {
        this.client.on('close', done);
        return () => this.client.off('close', done);
      },
      (done) => {
        void this.#probeAnew(done);
        return () => undefined;
      },
    ]);
  }

  /** Calls `ended` after a probe that begins after the call, where there can be one at once. */
  async #probeAnew(ended: () => void): Promise<void> {
    await this.#probing;
    const { status } = this.client;
    if (this.#closed) ended();
    else if (status === 'ready') await this.#probe().then(ended);
    else if (status !== 'connecting' && status !== 'connect') this.#connect();
  }

  #reconnect(): void {
    this.#silentSinceMs = performance.now();
    this.#facts = undefined;
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
      const asked = this.#facts ?? (await readServerFacts(this.client));
      // Why a server is unfit tells more than that it refuses the heartbeat.
      if (asked.unfitness !== undefined) throw new Error(asked.unfitness);
      await this.options.heartbeat.beat(this.client);
      if (generation !== this.#generation) return;
      this.#facts = asked;
      this.#factsAtMs = performance.now();
      this.#evictionPolicy = asked.evictionPolicy;
      this.#outage.recover();
    } catch (error) {
      if (generation !== this.#generation) return;
      // It may be another server, or have another role, by the time it can serve again.
      this.#facts = undefined;
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
