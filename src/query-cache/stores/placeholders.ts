/**
 * What is on its way through cache-manager, by short texts that take its place there: the library's layers revive
 * functions and classes from texts that look like their notation, and look for it in every character.
 */
export class Placeholders<T> {
  readonly #values = new Map<string, T>();
  #made = 0;

  /** Keeps the value until it is taken, and answers a text that the library leaves as it is. */
  put(value: T): string {
    this.#made += 1;
    const placeholder = `placeholder-${this.#made}`;
    this.#values.set(placeholder, value);
    return placeholder;
  }

  /** @throws Error where nothing is kept under the text. */
  take(placeholder: string): T {
    const value = this.#values.get(placeholder);
    if (value === undefined) throw new Error('There is nothing in the place of an entry.');
    this.#values.delete(placeholder);
    return value;
  }
}
