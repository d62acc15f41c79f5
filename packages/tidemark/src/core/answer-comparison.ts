/**
 * Compares a stored answer with one that the database gives later, and rules out false alarms.
 *
 * Two answers are compared only if both belong to one stamp: the stored one has it, and the versions still have it
 * after the query has run. So no write to a dependency has begun in between, and the answers must be equal. A write
 * from outside the service is published after its COMMIT, and until then waits in the outbox: a difference counts only
 * if the stamp still holds after no write was waiting any more.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { isArrayBufferView, isMap } from 'node:util/types';
import { pause, type Timers } from './ports/clock.js';
import type { Regions, ShadowDifference } from './ports/cache-events.js';
import type { CacheEntry } from './ports/entry-store.js';
import type { TableVersionNames } from './ports/version-store.js';
import type { FreshnessGate } from './freshness-gate.js';
import type { Answer, ReadRequest } from './read-request.js';

/** Longer than the relay usually takes to publish a write from outside. */
const RELAY_MS = 1_000;
/** After so many such pauses with waiting writes, nothing is known about the difference. */
const MAX_PAUSES = 30;

/** Shows all of a value, the same for equal values. */
const WHOLE = {
  depth: Infinity,
  maxArrayLength: Infinity,
  maxStringLength: Infinity,
  breakLength: Infinity,
  sorted: true,
};

export interface AnswerComparisonParts {
  readonly gate: Pick<FreshnessGate, 'check'>;
  readonly timers: Timers;
  /** Whether writes that have committed still wait to be published. Rejects if that is unknown. */
  readonly areWritesWaiting: () => Promise<boolean>;
  readonly regionNames: (tables: readonly TableVersionNames[]) => Regions;
}

interface Compared {
  readonly difference: ShadowDifference;
  /** The stamp of both answers, with the values of its regions as events have them. */
  readonly stamp: string;
}

export class AnswerComparison {
  constructor(private readonly parts: AnswerComparisonParts) {}

  /**
   * `undefined`: they are not comparable. Rejects if that is unknown.
   *
   * @param answer of the query, which began after the entry was found valid.
   */
  async compare(
    { dependencies, decode }: ReadRequest,
    entry: CacheEntry,
    answer: Answer,
  ): Promise<Compared | undefined> {
    const { tables } = dependencies;
    // The query has read more than the database at this moment, such as a transaction.
    if (answer.refusal !== undefined || !(await this.#holds(tables, entry))) return undefined;
    const difference = differenceOf(entry, answer, decode);
    if (difference !== 'none' && !(await this.#remains(tables, entry))) return undefined;
    return { difference, stamp: this.#shown(entry.stamp, tables) };
  }

  async #remains(tables: readonly TableVersionNames[], entry: CacheEntry): Promise<boolean> {
    const { timers, areWritesWaiting } = this.parts;
    for (let pauses = 0; pauses < MAX_PAUSES; pauses += 1) {
      await pause(timers, RELAY_MS);
      if (!(await areWritesWaiting())) return this.#holds(tables, entry);
    }
    return false;
  }

  /** Whether the entry would be served now. */
  async #holds(
    tables: readonly TableVersionNames[],
    { stamp }: Pick<CacheEntry, 'stamp'>,
  ): Promise<boolean> {
    const freshness = await this.parts.gate.check(tables);
    return freshness.trusted && freshness.stamp.text === stamp;
  }

  /** The text of the stamp (freshness-gate.ts) with other names of regions; its names are those of `tables`. */
  #shown(text: string, tables: readonly TableVersionNames[]): string {
    const { regionNames } = this.parts;
    let shown = '';
    let at = 0;
    for (const { table, names } of tables) {
      const epochEnd = text.indexOf('\n', at + table.length);
      shown += text.slice(at, epochEnd);
      at = epochEnd;
      for (const name of names) {
        const versionAt = at + 1 + name.length;
        const versionEnd = text.indexOf('\n', versionAt);
        const [region] = regionNames([{ table, names: [name] }]);
        shown += `\n${region?.names[0]}${text.slice(versionAt, versionEnd)}`;
        at = versionEnd;
      }
      shown += '\n';
      at += 1;
    }
    return shown + text.slice(at);
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
  const answers = [decode(stored), decode(answer.body)] as const;
  if (isDeepStrictEqual(...answers)) return 'none';
  for (const decoded of answers) sortLists(decoded);
  return isDeepStrictEqual(...answers) ? 'order' : 'content';
}

/** Sorts all lists of a value in place, the inner ones first: joined rows have no order either without ORDER BY. */
function sortLists(value: unknown, seen = new Set<object>()): void {
  if (typeof value !== 'object' || value === null || isArrayBufferView(value)) return;
  if (seen.has(value)) return;
  seen.add(value);
  for (const part of isMap(value) ? value.values() : Object.values(value)) sortLists(part, seen);
  if (!Array.isArray(value)) return;
  const texts = value.map((part: unknown) => ({ part, text: inspect(part, WHOLE) }));
  texts.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)));
  texts.forEach(({ part }, index) => (value[index] = part));
}
