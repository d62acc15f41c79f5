import type { CacheEntry } from '../core/entry-store.js';

interface Unsent {
  readonly onSent: () => void;
  /** As it will be sent, once that is known. */
  text: string | undefined;
}

/**
 * Entries on their way through cache-manager, which hands on nothing but a key and a text: who is to be told
 * when they have been sent. There may be several of one key, and they may overtake one another.
 */
export class UnsentEntries {
  readonly #byKey = new Map<string, Unsent[]>();
  readonly #byEntry = new WeakMap<CacheEntry, Unsent>();

  /** Answers a function that forgets it. */
  add(key: string, entry: CacheEntry, onSent: () => void): () => void {
    const unsent: Unsent = { onSent, text: undefined };
    this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), unsent]);
    this.#byEntry.set(entry, unsent);
    return () => this.#remove(key, unsent);
  }

  encoded(entry: CacheEntry, text: string): void {
    const unsent = this.#byEntry.get(entry);
    if (unsent) unsent.text = text;
  }

  /** @param stored what is sent: the entry's text, with whatever has been put around it. */
  sent(key: string, stored: string): void {
    const unsent = this.#byKey
      .get(key)
      ?.find(({ text }) => text !== undefined && stored.includes(text));
    if (!unsent) return;
    this.#remove(key, unsent);
    unsent.onSent();
  }

  #remove(key: string, unsent: Unsent): void {
    const others = (this.#byKey.get(key) ?? []).filter((other) => other !== unsent);
    if (others.length > 0) this.#byKey.set(key, others);
    else this.#byKey.delete(key);
  }
}
