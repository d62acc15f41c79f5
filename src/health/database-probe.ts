import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { describeError } from '../logging/describe-error.js';

/**
 * An answer may take ten ticks. A busy event loop runs its timers late and before it reads, so a single timer of one
 * second could reject a query whose answer has arrived. Between two ticks the loop reads the answer.
 */
const TICK_MS = 100;
const MAX_TICKS = 10;

/** Checks that the database answers, over one connection that no request waits for. */
@Injectable()
export class DatabaseProbe implements OnApplicationShutdown {
  #client: pg.Client | undefined;
  #asking: Promise<void> | undefined;
  readonly #log = new Logger('Health');
  #isDown = false;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Rejects after a second without an answer. Concurrent callers share one query. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
  }

  async #ask(): Promise<void> {
    const client = this.#client ?? this.#open();
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
      if (ticks === MAX_TICKS) client.connection.stream.destroy(new Error('no answer in a second'));
    }, TICK_MS);
    try {
      if (this.#client !== client) await client.connect();
      this.#client = client;
      await client.query('SELECT 1');
      if (this.#isDown) this.#log.log('The database answers again');
      this.#isDown = false;
    } catch (error) {
      if (!this.#isDown) {
        this.#log.warn(`The database does not answer: ${describeError(error).message}`);
      }
      this.#isDown = true;
      this.#client = undefined;
      void client.end().catch(() => undefined);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  #open(): pg.Client {
    const client = new pg.Client({
      connectionString: this.config.databaseUrl,
      application_name: 'tidemark health',
    });
    // The next check detects the failure.
    client.on('error', () => undefined);
    return client;
  }
}
