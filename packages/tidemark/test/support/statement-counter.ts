/**
 * Records the SQL that a data source's database connections send: TypeORM's, a subscriber's, or that of a plain
 * `pg` call over the same driver. It hooks the driver itself, below every layer that might answer from memory.
 *
 * It leaves out the statements that the cache sends in the background at any time: those of a relay, and the
 * transactions that load the catalog and check the triggers.
 */
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { idleLimit } from '../../src/typeorm/database/transaction-end.js';

type Query = (this: unknown, statement: unknown, ...rest: unknown[]) => unknown;
interface ClientClass {
  prototype: { query: Query };
}

interface Transaction {
  readonly isFill: boolean;
  isInBackground: boolean;
}

interface Sent {
  readonly text: string;
  readonly transaction: Transaction | undefined;
}

const BEGINS = /^\s*(?:START TRANSACTION|BEGIN)\b/i;
/** The first statement of a fill of several statements. */
const BEGINS_FILL = /REPEATABLE READ/;
const ENDS = /^\s*(?:COMMIT|ROLLBACK(?!\s+TO\b))/i;
/** Only transactions of the background send it as a separate statement. */
const IN_BACKGROUND = idleLimit();

export class StatementCounter {
  #sent: Sent[] = [];
  readonly #open = new WeakMap<object, Transaction>();

  private constructor(private readonly restore: () => void) {}

  /** Counts from now on, in every data source of this process that uses the same driver. */
  static attach(source: DataSource): StatementCounter {
    const { postgres } = source.driver as unknown as { postgres: { Client: ClientClass } };
    const { prototype } = postgres.Client;
    const { query } = prototype;
    const counter = new StatementCounter(() => {
      prototype.query = query;
    });
    prototype.query = function (statement, ...rest) {
      if (!isOfRelay(this)) counter.#record(this as object, textOf(statement));
      return query.call(this, statement, ...rest);
    };
    return counter;
  }

  /** The statements sent since the start or the last {@link reset}, oldest first. */
  get statements(): readonly string[] {
    return this.#sent
      .filter(({ transaction }) => !transaction?.isInBackground)
      .map(({ text }) => text);
  }

  /** The SELECTs among them that name the table in quotes. */
  selectsFrom(table: string): readonly string[] {
    return this.statements.filter(
      (text) => /^\s*select\b/i.test(text) && text.includes(`"${table}"`),
    );
  }

  reset(): void {
    this.#sent = [];
  }

  detach(): void {
    this.restore();
  }

  #record(client: object, text: string): void {
    if (BEGINS.test(text)) {
      this.#open.set(client, { isFill: BEGINS_FILL.test(text), isInBackground: false });
    }
    const transaction = this.#open.get(client);
    if (transaction && text === IN_BACKGROUND) transaction.isInBackground = !transaction.isFill;
    if (ENDS.test(text)) this.#open.delete(client);
    this.#sent.push({ text, transaction });
  }
}

/** A relay queries at any time, over a separate connection, which alone gets notifications. */
function isOfRelay(client: unknown): boolean {
  return (client as pg.Client).listenerCount('notification') > 0;
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return (statement as { text?: string }).text ?? '';
}
