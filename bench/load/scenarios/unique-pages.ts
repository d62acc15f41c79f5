import { USERS } from '../harness/servers.js';

/** Sizes of pages beside the wanted one that cost about the same. */
const SIZES = 10;

/** Paths of pages of about one size, none of which comes twice. */
export class UniquePages {
  #next = 0;
  readonly #starts: number;

  /** @param from users that no page begins before. */
  constructor(
    private readonly rows: number,
    private readonly from = 0,
  ) {
    this.#starts = USERS - rows - SIZES - from;
  }

  /** @throws Error when there are not that many left. */
  take(count: number): string[] {
    return Array.from({ length: count }, () => this.#page(this.#next++));
  }

  #page(number: number): string {
    const size = this.rows - Math.floor(number / this.#starts);
    if (size <= this.rows - SIZES || size < 1) {
      throw new Error(
        'There are no more pages that were never asked for: give fewer --rounds or --seconds.',
      );
    }
    return `/users?limit=${size}&after=${this.from + (number % this.#starts)}`;
  }
}
