/**
 * Shadow mode: runs each query against the database, and compares its answer with the stored one that would have been
 * served (answer-comparison.ts). The stored answer is never served.
 */
import type { AnswerComparison } from './answer-comparison.js';
import type { CacheEvents } from './ports/cache-events.js';
import type { CacheEntry } from './ports/entry-store.js';
import type { ReadProtocol } from './read-protocol.js';
import type { Answer, ReadOutcome, ReadRequest } from './read-request.js';

export interface ShadowReadsParts<E extends CacheEntry> {
  readonly protocol: Pick<ReadProtocol<E>, 'read' | 'bypass'>;
  readonly comparison: AnswerComparison;
  readonly events: CacheEvents;
}

export class ShadowReads<E extends CacheEntry> implements Pick<ReadProtocol<E>, 'read' | 'bypass'> {
  readonly bypass: ReadProtocol<E>['bypass'];

  constructor(private readonly parts: ShadowReadsParts<E>) {
    this.bypass = parts.protocol.bypass.bind(parts.protocol);
  }

  async read(request: ReadRequest): Promise<ReadOutcome<E>> {
    let hasRun = false;
    const run = (): Promise<Answer> => {
      hasRun = true;
      return request.run();
    };
    const outcome = await this.parts.protocol.read({ ...request, run });
    if (hasRun || outcome.source === 'bypass') return outcome;
    const answer = await request.run();
    // The answer does not wait for this.
    void this.#compare(request, outcome.entry, answer).catch(() => undefined);
    return { source: 'bypass', reason: 'shadow', answer };
  }

  async #compare(request: ReadRequest, entry: CacheEntry, answer: Answer): Promise<void> {
    const { comparison, events } = this.parts;
    const compared = await comparison.compare(request, entry, answer);
    if (compared) events.emitSafely('shadowCompared', { query: request.query, ...compared });
  }
}
