/**
 * Keeps the hooks of the write side installed, and reports whether they are.
 *
 * TypeORM drops the subscriber when the data source is initialised again, other code may replace the list of
 * subscribers, and a data source may be initialised long after the application. So every read checks that the
 * subscriber is installed, and a timer does so for applications that do not read. A missing subscriber is added again,
 * and missed writes are ended (missed-writes.ts). Until then no answer is served or stored.
 */
import { requireDirectConnection } from '../database/direct-connection.js';
import type { MissedWrites } from './missed-writes.js';
import { StatementInterceptor } from './statement-interceptor.js';
import type { WriteParts } from './write-parts.js';

/** Pause between two checks for a dropped subscriber, and after a failed attempt. */
const LOOK_MS = 500;

const GAPS = {
  starting: 'the application is starting',
  uninitialised: 'the data source is not initialised',
  dropped:
    'the subscriber that follows writes was dropped from the data source, as `initialize()` does. ' +
    'It is put back',
  shared:
    'another application of this process follows the writes of the data source. Give each ' +
    'application a separate data source',
  closed: 'the application has been closed',
};

export class WriteFollower {
  #gap: string | undefined = GAPS.starting;
  #following: Promise<void> | undefined;
  #retryAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: Pick<WriteParts, 'source' | 'schema'>,
    private readonly subscriber: StatementInterceptor,
    private readonly missed: MissedWrites,
  ) {}

  /** Why statements may be missed, and the remedy; `undefined`: none can be. Starts the repair. */
  get gap(): string | undefined {
    if (this.#gap === undefined) {
      if (this.#isAttached) return undefined;
      this.#gap = this.parts.source.isInitialized ? GAPS.dropped : GAPS.uninitialised;
    }
    void this.#follow();
    return this.#gap;
  }

  /** Whether statements are intercepted now, even if earlier ones may have been missed. */
  get isListening(): boolean {
    return this.subscriber.isListening && this.#isAttached;
  }

  /**
   * Starts to intercept. A later failure becomes the gap, and the attempt is repeated.
   *
   * @throws PooledConnectionError, or the error of the first load of the catalog
   */
  async start(): Promise<void> {
    const { source, schema } = this.parts;
    if (source.isInitialized) {
      await requireDirectConnection(source);
      this.#attach();
      await schema.load();
    }
    this.#timer = setInterval(() => void this.gap, LOOK_MS).unref();
    await this.#follow();
  }

  /** Statements are still intercepted, as far as the version store is available. */
  close(): void {
    clearInterval(this.#timer);
    this.subscriber.isClosed = true;
    this.#gap = GAPS.closed;
  }

  get #isAttached(): boolean {
    const { source } = this.parts;
    return source.isInitialized && source.subscribers.includes(this.subscriber);
  }

  async #follow(): Promise<void> {
    if (this.subscriber.isClosed || performance.now() < this.#retryAtMs) return;
    this.#following ??= this.#attempt().finally(() => {
      this.#following = undefined;
    });
    await this.#following;
  }

  async #attempt(): Promise<void> {
    let gap: string | undefined;
    try {
      gap = await this.#establish();
    } catch (error) {
      this.#retryAtMs = performance.now() + LOOK_MS;
      gap = `it is not yet certain what was written before writes were followed (${(error as Error).message})`;
    }
    if (!this.subscriber.isClosed) this.#gap = gap;
  }

  async #establish(): Promise<string | undefined> {
    const { subscriber } = this;
    const { source, schema } = this.parts;
    if (!source.isInitialized) return GAPS.uninitialised;
    if (!this.#attach()) return GAPS.shared;
    await requireDirectConnection(source);
    await schema.load();
    subscriber.isListening = true;
    if (subscriber.hasMissed) await schema.reload();
    subscriber.hasMissed = false;
    await this.missed.end();
    return this.#isAttached ? undefined : GAPS.dropped;
  }

  /** Returns whether the subscriber is installed: one application follows a data source. */
  #attach(): boolean {
    const { subscriber } = this;
    const { source, schema } = this.parts;
    for (const other of [...source.subscribers]) {
      if (!(other instanceof StatementInterceptor) || other === subscriber) continue;
      if (!other.isClosed) return false;
      source.subscribers.splice(source.subscribers.indexOf(other), 1);
    }
    if (this.#isAttached) return true;
    source.subscribers.push(subscriber);
    subscriber.hasMissed ||= schema.hasBegunToLoad;
    return true;
  }
}
