import type { EntitySubscriberInterface } from 'typeorm';
import { FOLLOWS_WRITES_ALONE } from '../query-cache/index.js';
import type { AnsweredStatement, SentStatement, StatementWatcher } from './statement-watcher.js';

/** Hands the statements of the data source to the watcher, all but those of fills. */
export class StatementSubscriber implements EntitySubscriberInterface {
  readonly [FOLLOWS_WRITES_ALONE] = true;
  /** Whether the catalogue is known, without which no statement can be followed. */
  isListening = false;
  /** Its application has stopped: another one may follow the data source. */
  isClosed = false;

  constructor(private readonly watcher: StatementWatcher) {}

  async beforeQuery(statement: SentStatement): Promise<void> {
    if (this.isListening) await this.watcher.before(statement);
  }

  async afterQuery(statement: AnsweredStatement): Promise<void> {
    if (this.isListening) await this.watcher.after(statement);
  }
}
