import { Logger, type OnModuleInit } from '@nestjs/common';
import type { DataSource, EntitySubscriberInterface } from 'typeorm';
import {
  FOLLOWS_WRITES_ALONE,
  type CacheLifecycle,
  type DatabaseSchema,
} from '../query-cache/index.js';
import type { WriteProtocol } from './core/write-protocol.js';
import type { OutboxRelay } from './outbox/outbox-relay.js';
import type { AnsweredStatement, SentStatement, StatementWatcher } from './statement-watcher.js';

/** Hands the statements of the data source to the watcher, all but those of fills. */
export class StatementSubscriber implements EntitySubscriberInterface, OnModuleInit {
  readonly [FOLLOWS_WRITES_ALONE] = true;
  readonly #log = new Logger('CacheInvalidation');

  constructor(
    private readonly source: DataSource,
    private readonly schema: DatabaseSchema,
    private readonly watcher: StatementWatcher,
    private readonly protocol: WriteProtocol,
    private readonly relay: OutboxRelay,
    private readonly lifecycle: CacheLifecycle,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.schema.load();
    this.source.subscribers.push(this);
    this.relay.start();
    // When the application stops, the last requests have been answered: what they began is ended
    // before Redis is left.
    this.lifecycle.beforeClose(async () => {
      const [isDrained] = await Promise.all([this.protocol.drain(), this.relay.close()]);
      if (isDrained) return;
      this.#log.error(
        'Writes went unannounced while Redis was away, and it has not come back: other instances ' +
          'may serve answers from before them until those expire.',
      );
    });
  }

  beforeQuery(statement: SentStatement): Promise<void> {
    return this.watcher.before(statement);
  }

  afterQuery(statement: AnsweredStatement): Promise<void> {
    return this.watcher.after(statement);
  }
}
