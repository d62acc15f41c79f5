/**
 * Whether a transaction of the application may be open in this process. While none is, no builder can carry a query
 * runner in a transaction, so a hit need not build its query to check for one.
 */
export class OpenTransactions {
  /** Assumes an open transaction until the write side reports: that costs only speed. */
  #isAnyOpen = (): boolean => true;

  /** @param isAnyOpen must never return `false` while a transaction of the application is open. */
  follow(isAnyOpen: () => boolean): void {
    this.#isAnyOpen = isAnyOpen;
  }

  get isAnyOpen(): boolean {
    return this.#isAnyOpen();
  }
}
