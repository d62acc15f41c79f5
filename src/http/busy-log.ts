import type { ServiceLog } from '../logging/service-log.js';

const INTERVAL_MS = 1_000;

/** Logs requests refused because the database is overloaded: one line for those of one second. */
export class BusyLog {
  #count = 0;

  constructor(private readonly log: Pick<ServiceLog, 'record'>) {}

  refused(): void {
    this.#count += 1;
    if (this.#count === 1) setTimeout(() => this.#write(), INTERVAL_MS).unref();
  }

  #write(): void {
    const refused = this.#count;
    this.#count = 0;
    this.log.record(
      'warn',
      { refused },
      `Refused ${refused} requests in a second, since half or more of DATABASE_QUEUE wait for a connection to the ` +
        'database. See what its statements wait for, or raise DATABASE_POOL.',
    );
  }
}
