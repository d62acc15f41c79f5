import type { Redis } from 'ioredis';
import { SharedAttempt } from './shared-attempt.js';
import { untilAny } from './until-any.js';

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
  readonly #attempt = new SharedAttempt(() => this.#tryNow());
  /** Until the client has told that its stream has ended. */
  #closing: Promise<void> | undefined;

  constructor(private readonly connection: Reconnectable) {}

  /** Resolves when an attempt has ended that began after the call, well or not. */
  tried(): Promise<void> {
    return this.#attempt.made();
  }

  /** The same, for a connection that has just broken; resolves after `limitMs` at the latest. */
  triedAnew(limitMs: number): Promise<void> {
    return untilAny(limitMs, [
      (done) => {
        void this.#tryAnew(done);
        return () => undefined;
      },
    ]);
  }

  async #tryAnew(ended: () => void): Promise<void> {
    const { client } = this.connection;
    // The stream may have ended before the client tells so.
    if (client.status === 'ready' && !client.stream.writable) {
      this.#closing ??= new Promise<void>((resolve) => client.once('close', () => resolve()));
      await this.#closing;
      this.#closing = undefined;
    }
    await this.tried();
    ended();
  }

  /** Resolves when the connection is up, or when an attempt to bring it up has failed. */
  #tryNow(): Promise<void> {
    const { connection } = this;
    return untilAny(connection.limitMs(), [
      (done) => connection.onUp(done),
      (done) => {
        connection.client.on('close', done);
        return () => connection.client.off('close', done);
      },
      (done) => {
        void this.#probeAnew(done);
        return () => undefined;
      },
    ]);
  }

  /** Calls `ended` after a probe that begins after the call, where there can be one at once. */
  async #probeAnew(ended: () => void): Promise<void> {
    const { connection } = this;
    await connection.probing();
    const { status } = connection.client;
    if (connection.isClosed()) ended();
    else if (status === 'ready') await connection.probe().then(ended);
    else if (status !== 'connecting' && status !== 'connect') connection.connect();
  }
}
