/**
 * Keeps the hooks of the write side in place, and says whether they are.
 *
 * TypeORM drops the subscriber when the data source is initialised again, anybody may replace the
 * list of subscribers, and a data source may be initialised long after the application. So every read
 * asks whether the subscriber is there, and so does a timer for applications that do not read. A
 * subscriber that is missing is put back, what was missed is ended (missed-writes.ts), and until then
 * no answer is served or stored.
 */
import type { DataSource } from 'typeorm';
import type { DatabaseSchema } from '../query-cache/index.js';
import type { MissedWrites } from './missed-writes.js';
import { StatementWatcher } from './statement-watcher.js';

/** Pause between two looks for a subscriber that was dropped, and after an attempt that failed. */
const LOOK_MS = 500;

const GAPS = {
  starting: 'the application is starting',
  uninitialised: 'the data source is not initialised',
  dropped:
    'the subscriber that follows writes was dropped from the data source, as `initialize()` does. ' +
    'It is put back',
  shared:
    'another application of this process follows the writes of the data source. Give each ' +
    'application a data source of its own',
  closed: 'the application has been closed',
};

interface FollowerParts {
  readonly source: DataSource;
  readonly subscriber: StatementWatcher;
  readonly schema: DatabaseSchema;
  readonly missed: MissedWrites;
}

export class WriteFollower {
  #gap: string | undefined = GAPS.starting;
  #following: Promise<void> | undefined;
  #retryAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #wasDropped = false;
  /** What the catalog was before it was loaded for the first time. */
  #catalog: string | undefined;

  constructor(private readonly parts: FollowerParts) {}

  /** Why statements may go unseen, and the remedy; `undefined`: none can. Sets the repair going. */
  get gap(): string | undefined {
    if (this.#gap === undefined && this.#isAttached) return undefined;
    if (this.#gap === undefined) {
      this.#wasDropped = true;
      this.#gap = this.parts.source.isInitialized ? GAPS.dropped : GAPS.uninitialised;
    }
    void this.#follow();
    return this.#gap;
  }

  /** Whether statements are followed now, whether or not all earlier ones are accounted for. */
  get isListening(): boolean {
    return this.parts.subscriber.isListening && this.#isAttached;
  }

  /** To be called before the catalog is loaded for the first time, to know later whether it has changed since. */
  async observe(): Promise<void> {
    if (this.parts.source.isInitialized) this.#catalog = await this.parts.missed.catalog();
  }

  /** Follows from here on. Never rejects: what could not be done is the gap, and is tried again. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.gap, LOOK_MS).unref();
    await this.#follow();
  }

  /** Statements are still followed, as far as the version store is there. */
  close(): void {
    clearInterval(this.#timer);
    this.parts.subscriber.isClosed = true;
    this.#gap = GAPS.closed;
  }

  get #isAttached(): boolean {
    return (
      this.parts.source.isInitialized &&
      this.parts.source.subscribers.includes(this.parts.subscriber)
    );
  }

  async #follow(): Promise<void> {
    if (this.parts.subscriber.isClosed || performance.now() < this.#retryAtMs) return;
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
    if (!this.parts.subscriber.isClosed) this.#gap = gap;
  }

  async #establish(): Promise<string | undefined> {
    const { source, subscriber, schema, missed } = this.parts;
    if (!source.isInitialized) return GAPS.uninitialised;
    const others = source.subscribers.filter(
      (other) => other instanceof StatementWatcher && other !== subscriber,
    );
    if (others.some((other) => other instanceof StatementWatcher && !other.isClosed)) {
      return GAPS.shared;
    }
    for (const closed of others) source.subscribers.splice(source.subscribers.indexOf(closed), 1);
    if (!this.#isAttached) source.subscribers.push(subscriber);
    const catalog = this.#catalog ?? (await missed.catalog());
    this.#catalog = undefined;
    if (this.#wasDropped) await schema.reload();
    else await schema.load();
    subscriber.isListening = true;
    await missed.end(catalog);
    if (!this.#isAttached) return GAPS.dropped;
    this.#wasDropped = false;
    return undefined;
  }
}
