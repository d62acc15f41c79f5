/**
 * Shadow mode: runs each query against the database, and compares its answer with the stored one that would have been
 * served. The stored answer is never served.
 *
 * Two answers are compared only if both belong to one stamp: the stored one has it, and the versions still have it
 * after the query has run. So no write to a dependency has begun in between, and the answers must be equal. A write
 * from outside the service is published after its COMMIT: a difference counts only if the stamp still holds a second
 * later.
 */
import { isDeepStrictEqual, inspect } from 'node:util';
import { pause, type Timers } from './ports/clock.js';
import type { CacheEvents, ShadowDifference } from './ports/cache-events.js';
import type { CacheEntry } from './ports/entry-store.js';
import type { FreshnessGate } from './freshness-gate.js';
import type { ReadProtocol } from './read-protocol.js';
import type { Answer, ReadOutcome, ReadRequest } from './read-request.js';

/** Longer than the relay takes to publish a write from outside. */
const RELAY_MS = 1_000;

/** Shows all of a value, the same for equal values. */
const WHOLE = {
  depth: Infinity,
  maxArrayLength: Infinity,
  maxStringLength: Infinity,
  breakLength: Infinity,
  sorted: true,
};

export interface ShadowReadsParts<E extends CacheEntry> {
  readonly protocol: Pick<ReadProtocol<E>, 'read' | 'bypass'>;
  readonly gate: Pick<FreshnessGate, 'check'>;
  readonly events: CacheEvents;
  readonly timers: Timers;
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
    // The query has read more than the database at this moment, such as a transaction.
    if (answer.refusal !== undefined || !(await this.#holds(request, entry))) return;
    const difference = differenceOf(entry, answer, request.decode);
    if (difference === 'none') this.#emit(request, entry, difference);
    else void this.#compareLater(request, entry, difference);
  }

  async #compareLater(
    request: ReadRequest,
    entry: CacheEntry,
    difference: ShadowDifference,
  ): Promise<void> {
    await pause(this.parts.timers, RELAY_MS);
    if (await this.#holds(request, entry)) this.#emit(request, entry, difference);
  }

  /** Whether the entry would be served now. */
  async #holds({ dependencies }: ReadRequest, { stamp }: CacheEntry): Promise<boolean> {
    const freshness = await this.parts.gate.check(dependencies.tables);
    return freshness.trusted && freshness.stamp.text === stamp;
  }

  #emit({ query }: ReadRequest, { stamp }: CacheEntry, difference: ShadowDifference): void {
    this.parts.events.emitSafely('shadowCompared', { query, difference, stamp });
  }
}

function differenceOf(
  { body: stored, headers }: CacheEntry,
  answer: Answer,
  decode: ReadRequest['decode'],
): ShadowDifference {
  if (!isDeepStrictEqual(headers, answer.headers)) return 'headers';
  if (stored.equals(answer.body)) return 'none';
  if (!decode) return 'content';
  const [before, now] = [decode(stored), decode(answer.body)];
  if (isDeepStrictEqual(before, now)) return 'none';
  if (!Array.isArray(before) || !Array.isArray(now)) return 'content';
  return isDeepStrictEqual(textsOf(before), textsOf(now)) ? 'order' : 'content';
}

function textsOf(rows: readonly unknown[]): string[] {
  return rows.map((row) => inspect(row, WHOLE)).sort();
}
