/**
 * Names for the statements that are sent again and again: PostgreSQL parses and plans what has a name once
 * for each connection instead of each time.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** The server keeps what has a name until its connection ends. */
const MOST_NAMES = 200;
/** Texts that have no name yet, of which it is known how often they were sent. */
const MOST_COUNTED = 1_000;
/** A text that was sent as often will be sent again. */
const OFTEN = 5;

/** The server knows the name no longer, has given it to another, or has other columns for it now. */
const STALE_STATES: ReadonlySet<unknown> = new Set(['26000', '42P05', '0A000']);

export class StatementNames {
  readonly #sent = new LRUCache<string, number>({ max: MOST_COUNTED });
  /** `undefined`: not to be named. */
  readonly #names = new Map<string, string | undefined>();

  /** To be called each time that the text is about to be sent. */
  nameOf(sql: string): string | undefined {
    if (this.#names.has(sql)) return this.#names.get(sql);
    if (this.#names.size >= MOST_NAMES) return undefined;
    const times = (this.#sent.get(sql) ?? 0) + 1;
    if (times < OFTEN) {
      this.#sent.set(sql, times);
      return undefined;
    }
    this.#sent.delete(sql);
    // Told from the text: behind a proxy the connection may have been another process's.
    const name = `tidemark_${hash('sha256', sql, 'base64url')}`;
    this.#names.set(sql, name);
    return name;
  }

  /**
   * Whether a failure is the name's, so that the statement may be sent again: without a name, as from now on.
   */
  isToBlame(sql: string, error: unknown): boolean {
    const { code } = error as { readonly code?: unknown };
    if (this.#names.get(sql) === undefined || !STALE_STATES.has(code)) return false;
    this.#names.set(sql, undefined);
    return true;
  }
}
