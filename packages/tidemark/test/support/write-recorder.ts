/** Records the events of writes of one application. */
import type { CacheEventMap, Invalidation } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import type { CachedApplication } from './cached-application.js';

export class WriteRecorder {
  readonly writes: Invalidation[] = [];
  readonly ends: CacheEventMap['concluded'][0][] = [];

  /** Each event since the start, as JSON. */
  readonly texts: string[] = [];

  constructor({ cache }: CachedApplication) {
    cache.events.on('invalidated', (event) => {
      this.writes.push(event);
      this.texts.push(JSON.stringify(event));
    });
    cache.events.on('concluded', (event) => this.ends.push(event));
  }

  clear(): void {
    this.writes.length = 0;
    this.ends.length = 0;
  }

  /** The only write since the last {@link clear}, once it has ended. */
  async one(): Promise<Invalidation> {
    await this.ended();
    const [write, ...others] = this.writes;
    if (write && others.length === 0) return write;
    throw new Error(`There are ${this.writes.length} writes: ${JSON.stringify(this.writes)}`);
  }

  /** Waits until every own write has ended, each once. */
  async ended(): Promise<void> {
    const own = this.writes.filter(({ source }) => source === 'service').map(idOf);
    await eventually(async () => {
      const ends = this.ends.map(idOf);
      if (ends.join() !== own.join())
        throw new Error(`Of ${own.join()} have ended: ${ends.join()}`);
    });
  }
}

function idOf({ writeId }: { readonly writeId: string }): string {
  return writeId;
}
