/** Describes the PostgreSQL transactions that make reads bypass the cache. */
import type { Logger } from '@nestjs/common';
import type { CacheEvents } from '../core/ports/cache-events.js';
import type { Writers, WritingTransaction } from '../core/ports/writer-activity.js';

/** Further transactions are counted, not named. */
const MAX_NAMED = 3;

/** Names the transactions and the remedy; `undefined`: there are none. */
export function describeAwaited(awaited: Writers): string | undefined {
  const [first] = awaited.keys();
  if (first === undefined) return undefined;
  const names = [...awaited].slice(0, MAX_NAMED).map(nameOf);
  const more = awaited.size - names.length;
  if (more > 0) names.push(`${more} more`);
  return (
    'Reads of some tables go past the cache until transactions have ended that may have written to ' +
    `them: ${names.join(', ')}. To end one: SELECT pg_terminate_backend(${first})`
  );
}

/** Logs one line when such transactions make reads bypass the cache, and one when that ends. */
export function logAwaited(events: CacheEvents, log: Logger): void {
  let isLogged = false;
  events.on('awaiting', ({ transactions }) => {
    const description = describeAwaited(transactions);
    if (isLogged === (description !== undefined)) return;
    isLogged = !isLogged;
    if (description === undefined) log.log('No transaction keeps reads from the cache any more.');
    else log.warn(`${description}.`);
  });
}

function nameOf([pid, { application, since }]: [number, WritingTransaction]): string {
  const begun = since === undefined ? '' : `, since ${since}`;
  return `process ${pid} (application ${JSON.stringify(application)}${begun})`;
}
