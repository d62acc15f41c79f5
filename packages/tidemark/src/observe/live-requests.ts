/** Requests as they come, for listeners. Without one, nothing is made. */
import type { CacheEventMap } from '../core/ports/cache-events.js';
import type { LiveRequest } from './report.js';

type Event<K extends keyof CacheEventMap> = CacheEventMap[K][0];
export type LiveListener = (request: LiveRequest) => void;

const BARE = { level: undefined, reason: undefined, durationMs: undefined, bytes: undefined };

export class LiveRequests {
  readonly #listeners = new Set<LiveListener>();

  /** Returns the function that ends it. */
  on(listener: LiveListener): () => void {
    // Each call counts, also with the same function.
    const own: LiveListener = (request) => listener(request);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  hit({ query, level, durationMs, bytes }: Event<'hit'>, atMs: number): void {
    if (this.#listeners.size === 0) return;
    this.#emit({ atMs, query, outcome: 'hit', level, reason: undefined, durationMs, bytes });
  }

  miss({ query, refusal, cause, durationMs, bytes }: Event<'miss'>, atMs: number): void {
    if (this.#listeners.size === 0) return;
    const reason = refusal ?? cause;
    this.#emit({ atMs, query, outcome: 'miss', level: undefined, reason, durationMs, bytes });
  }

  bypass({ query, reason, detail, durationMs }: Event<'bypass'>, atMs: number): void {
    if (this.#listeners.size === 0) return;
    const why = detail ?? reason;
    this.#emit({ ...BARE, atMs, query, outcome: 'bypass', reason: why, durationMs });
  }

  joined({ query }: Event<'joined'>, atMs: number): void {
    if (this.#listeners.size > 0) this.#emit({ ...BARE, atMs, query, outcome: 'joined' });
  }

  failed({ query }: Event<'fillFailed'>, atMs: number): void {
    if (this.#listeners.size > 0) this.#emit({ ...BARE, atMs, query, outcome: 'failed' });
  }

  #emit(request: LiveRequest): void {
    for (const listener of this.#listeners) {
      try {
        listener(request);
      } catch {
        // The others get it.
      }
    }
  }
}
