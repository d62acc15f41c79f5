/**
 * Whether a transaction of the application may be open in this process. While none is, no builder can carry
 * a query runner in a transaction, and a hit need not build its query to find that out.
 */
export class OpenTransactions {
  /** Until the write side says otherwise there may be one: that costs speed alone. */
  #isAnyOpen = (): boolean => true;

  /** @param isAnyOpen must never answer `false` while a transaction of the application is open. */
  follow(isAnyOpen: () => boolean): void {
    this.#isAnyOpen = isAnyOpen;
  }

  get isAnyOpen(): boolean {
    return this.#isAnyOpen();
  }
}
