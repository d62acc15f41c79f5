import type { Logger } from '@nestjs/common';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { systemClock } from '../core/ports/clock.js';
import { DifferenceLog } from './difference-log.js';

/** Longest stamp in a line of the log, in characters. */
const MAX_STAMP = 1_000;

/** Logs what the auditor finds, and keeps it for health. */
export class AuditFindings {
  #different = 0;
  #last = '';

  constructor(events: CacheEvents, log: Pick<Logger, 'error'>, clock = systemClock) {
    const differences = new DifferenceLog(log, clock);
    events.on('audited', ({ query, key, difference, stamp }) => {
      if (difference === 'none') return;
      const versions = stamp.trim().replaceAll('\n', ' ').slice(0, MAX_STAMP);
      differences.note('Audit', query, difference, `It was served. Key ${key}, stamp ${versions}`);
      // The database may choose another order at any time, without a write.
      if (difference === 'order') return;
      this.#different += 1;
      this.#last = query;
    });
  }

  /** Stands until the application is restarted; `undefined`: no answer differed. */
  get degradation(): string | undefined {
    if (this.#different === 0) return undefined;
    const answers =
      this.#different === 1 ? 'an answer that differs' : `${this.#different} answers that differ`;
    return (
      `The auditor found ${answers} from the database, the last one of the query ${this.#last}: ` +
      "set `mode: 'shadow'`, so that stored answers are not served, and find the write that was not seen by the lines " +
      'of the log that begin with Audit'
    );
  }
}
