import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { DataSource, EntitySubscriberInterface } from 'typeorm';
import type { DatabaseSchema } from '../query-cache/index.js';
import type { WriteProtocol } from './core/write-protocol.js';
import type { AnsweredStatement, SentStatement, StatementWatcher } from './statement-watcher.js';

/** Hands every statement of the data source to the watcher. */
export class EntityChangeSubscriber
  implements EntitySubscriberInterface, OnModuleInit, OnApplicationShutdown
{
  constructor(
    private readonly source: DataSource,
    private readonly schema: DatabaseSchema,
    private readonly watcher: StatementWatcher,
    private readonly protocol: WriteProtocol,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.schema.load();
    this.source.subscribers.push(this);
  }

  /** The requests have been answered by now: what they began is ended before Redis is left. */
  async onApplicationShutdown(): Promise<void> {
    await this.protocol.drain();
  }

  beforeQuery(statement: SentStatement): Promise<void> {
    return this.watcher.before(statement);
  }

  afterQuery(statement: AnsweredStatement): Promise<void> {
    return this.watcher.after(statement);
  }
}
