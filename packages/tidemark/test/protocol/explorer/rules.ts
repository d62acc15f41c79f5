import {
  WriterActivity,
  type WritingTransaction,
} from '../../../src/core/ports/writer-activity.js';
import { writingTransactions } from '../support/writing-transactions.js';
import { Reader } from './actors/reader.js';
import { Writer } from './actors/writer.js';
import type { Rules } from './configuration.js';
import type { Postgres } from './world/postgres.js';

class TrueActivity extends WriterActivity {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  override async writers(): Promise<ReadonlyMap<number, WritingTransaction>> {
    return writingTransactions(this.postgres.writers());
  }
}

/** The rules as they are; a variant replaces one of them. */
export const RIGHT: Rules = {
  store: (data) => data,
  activity: (postgres) => new TrueActivity(postgres),
  reader: Reader,
  writer: Writer,
};
