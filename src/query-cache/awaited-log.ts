import type { Logger } from '@nestjs/common';
import type { CacheEvents } from './core/cache-events.js';
import type { AwaitedTransactions } from './core/awaited-transactions.js';

/** One line when reads begin to go past the cache for transactions that last, and one when that is over. */
export function logAwaited(awaited: AwaitedTransactions, events: CacheEvents, log: Logger): void {
  let isLogged = false;
  events.on('awaiting', () => {
    const { degradation } = awaited;
    if (isLogged === (degradation !== undefined)) return;
    isLogged = !isLogged;
    if (degradation === undefined) log.log('No transaction keeps reads from the cache any more.');
    else log.warn(`${degradation}.`);
  });
}
