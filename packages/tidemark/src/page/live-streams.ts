import type { OnModuleDestroy } from '@nestjs/common';
import { EventStream } from './event-stream.js';
import { beginStream, type PageReply } from './http-exchange.js';
import { LiveFeed } from './live-feed.js';
import type { Overview } from './page-api.js';
import { PageProblem } from './page-problem.js';
import type { PageSource } from './page-sources.js';

const MAX_STREAMS = 20;

/** The open streams of events of this process. */
export class LiveStreams implements OnModuleDestroy {
  readonly #streams = new Set<EventStream>();
  readonly #feeds = new Map<string, LiveFeed>();
  #isClosed = false;

  constructor(private readonly overviewOf: (source: PageSource) => Promise<Overview>) {}

  /**
   * @param endMs when the stream ends at the latest, in milliseconds since the Unix epoch.
   * @throws PageProblem if there are too many, or the application is stopping.
   */
  open(source: PageSource, reply: PageReply, endMs: number): void {
    if (this.#isClosed) throw unavailable('stopping', 'The service is stopping: try again later.');
    if (this.#streams.size >= MAX_STREAMS) {
      const detail = `${MAX_STREAMS} pages are open on this instance already: close one of them.`;
      throw unavailable('too-many-streams', detail);
    }
    const feed = this.#feedOf(source);
    const response = beginStream(reply, 'text/event-stream; charset=utf-8');
    if (response.destroyed) return;
    const stream = new EventStream(response, endMs);
    this.#streams.add(stream);
    response.once('close', () => {
      this.#streams.delete(stream);
      feed.remove(stream);
    });
    // Connections break: `close` follows.
    response.on('error', () => undefined);
    feed.add(stream);
  }

  /**
   * Ends all streams, which never end by themselves, and refuses new ones. Nest calls it before it closes the server;
   * call it first where requests are awaited before.
   */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.end();
  }

  onModuleDestroy(): void {
    this.close();
  }

  #feedOf(source: PageSource): LiveFeed {
    const { name, reports } = source;
    let feed = this.#feeds.get(name);
    if (!feed) {
      feed = new LiveFeed({
        onRequest: (listener) => reports.onRequest(listener),
        overview: () => this.overviewOf(source),
      });
      this.#feeds.set(name, feed);
    }
    return feed;
  }
}

function unavailable(kind: string, detail: string): PageProblem {
  return new PageProblem(503, kind, detail, { 'retry-after': '5' });
}
