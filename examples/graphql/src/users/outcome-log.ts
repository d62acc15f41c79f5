import { Injectable, Logger } from '@nestjs/common';
import { QueryCache } from '@tidemark/nestjs';

/** Logs where answers came from: outside HTTP there is no `Cache-Status`. */
@Injectable()
export class OutcomeLog {
  readonly #logger = new Logger('Cache');

  constructor(cache: QueryCache) {
    cache.events
      .on('hit', ({ query, level }) => this.#logger.log(`${query}: hit in ${level}`))
      .on('miss', ({ query }) => this.#logger.log(`${query}: miss`))
      .on('bypass', ({ query, reason }) => this.#logger.log(`${query}: bypass, ${reason}`));
  }
}
