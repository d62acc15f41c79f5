import type { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { RedisTimeoutError } from './redis.errors.js';

/** What the attempts need of a connection. */
export interface Reconnectable {
  readonly client: Redis;
  isClosed(): boolean;
  /** The probe under way. */
  probing(): Promise<void> | undefined;
  /** One at a time. Never rejects. */
  probe(): Promise<void>;
  connect(): void;
  onUp(listener: () => void): () => void;
  /** How long an attempt may take, in milliseconds. */
  limitMs(): number;
}

/** Attempts to bring a connection up at once, for commands that cannot wait until it tries by itself. */
export class Comeback {
  /** One attempt for all who wait for one. */
  #running: Promise<void> | undefined;
  /** Until the client has told that its stream has ended. */
  #closing: Promise<void> | undefined;

  constructor(private readonly connection: Reconnectable) {}

  /** Resolves when an attempt has ended that began after the call, well or not. */
  async tried(): Promise<void> {
    // One under way may have met what was true before the call.
    await this.#running;
    this.#running ??= this.#tryNow().finally(() => (this.#running = undefined));
    await this.#running;
  }

  /** The same, for a connection that has just broken; resolves after `limitMs` at the latest. */
  async triedAnew(limitMs: number): Promise<void> {
    const late = (): Error => new RedisTimeoutError('a new connection', limitMs);
    await withDeadline(this.#tryAnew(), limitMs, late).catch(() => undefined);
  }

  async #tryAnew(): Promise<void> {
    const { client } = this.connection;
    // The stream may have ended before the client tells so.
    if (client.status === 'ready' && !client.stream.writable) {
      this.#closing ??= new Promise<void>((resolve) => client.once('close', () => resolve()));
      await this.#closing;
      this.#closing = undefined;
    }
    await this.tried();
  }

  /** Resolves when the connection is up, or when an attempt to bring it up has failed. */
  #tryNow(): Promise<void> {
    const { connection } = this;
    const { client } = connection;
    return new Promise((resolve) => {
      const ended = (): void => {
        clearTimeout(timer);
        stopListening();
        client.off('close', ended);
        resolve();
      };
      const timer = setTimeout(ended, connection.limitMs());
      const stopListening = connection.onUp(ended);
      client.on('close', ended);
      void this.#probeAnew().then((isDecided) => isDecided && ended());
    });
  }

  /** Answers whether a probe has ended that began after the call; else the connection is about to tell. */
  async #probeAnew(): Promise<boolean> {
    const { connection } = this;
    await connection.probing();
    const { status } = connection.client;
    if (connection.isClosed()) return true;
    if (status === 'ready') {
      await connection.probe();
      return true;
    }
    if (status !== 'connecting' && status !== 'connect') connection.connect();
    return false;
  }
}
