import type { LiveRequest } from '../observe/report.js';
import { eventOf, HEARTBEAT, type EventStream } from './event-stream.js';
import type { Overview } from './page-api.js';
import { RequestSample } from './request-sample.js';

const REQUESTS_MS = 250;
const OVERVIEW_MS = 2_000;

export interface LiveFeedParts {
  /** Returns the function that ends it. */
  readonly onRequest: (listener: (request: LiveRequest) => void) => () => void;
  readonly overview: () => Promise<Overview>;
}

/** The events of one data source, for all streams together. It listens to requests only while there is a stream. */
export class LiveFeed {
  readonly #streams = new Set<EventStream>();
  #stop: (() => void) | undefined;
  #isOverviewDue = false;

  constructor(private readonly parts: LiveFeedParts) {}

  /** The first overview is sent at once. */
  add(stream: EventStream): void {
    this.#streams.add(stream);
    stream.send(HEARTBEAT);
    this.#stop ??= this.#start();
    void this.#sendOverview();
  }

  remove(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #start(): () => void {
    const sample = new RequestSample();
    const ignore = this.parts.onRequest((request) => sample.add(request));
    const requests = setInterval(() => {
      const taken = sample.take();
      if (taken) this.#send(eventOf('requests', taken));
    }, REQUESTS_MS).unref();
    const overview = setInterval(() => {
      this.#endOld();
      this.#send(HEARTBEAT);
      void this.#sendOverview();
    }, OVERVIEW_MS).unref();
    return () => {
      ignore();
      clearInterval(requests);
      clearInterval(overview);
    };
  }

  /** One at a time, also where it takes long. */
  async #sendOverview(): Promise<void> {
    if (this.#isOverviewDue) return;
    this.#isOverviewDue = true;
    try {
      this.#send(eventOf('overview', await this.parts.overview()));
    } catch {
      // The next one may succeed.
    } finally {
      this.#isOverviewDue = false;
    }
  }

  #endOld(): void {
    const nowMs = Date.now();
    for (const stream of this.#streams) if (stream.endMs <= nowMs) stream.end();
  }

  #send(text: string): void {
    for (const stream of this.#streams) stream.send(text);
  }
}
