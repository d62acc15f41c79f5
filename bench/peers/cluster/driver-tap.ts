/**
 * A tap on node-postgres, below every cache: what was sent, an answer held back, and an action at
 * the very moment an answer has come.
 */
import pg from 'pg';
import { deferred } from './deferred.js';

type Query = (this: unknown, statement: unknown, ...rest: unknown[]) => unknown;

/** An answer of the database that has come and is not handed on until it is let go. */
export interface HeldAnswer {
  /** Resolves when the database has answered. */
  readonly reached: Promise<void>;
  letGo(): void;
}

export class DriverTap {
  readonly #sent: string[] = [];
  #hook: ((text: string) => Promise<void> | void) | undefined;

  private constructor() {}

  /** Taps every connection of this process, once. */
  static install(): DriverTap {
    const tap = new DriverTap();
    const prototype = pg.Client.prototype as unknown as { query: Query };
    const { query } = prototype;
    prototype.query = function (statement, ...rest) {
      const text = textOf(statement);
      tap.#sent.push(text);
      const result = query.call(this, statement, ...rest);
      return result instanceof Promise
        ? result.then((answer) => tap.#answered(text, answer))
        : result;
    };
    return tap;
  }

  /** Whether any SELECT of the table, named in quotes, is sent while `work` runs. */
  async selects<T>(table: string, work: () => Promise<T>): Promise<{ value: T; ranSql: boolean }> {
    const start = this.#sent.length;
    const value = await work();
    const ranSql = this.#sent.slice(start).some((text) => isSelectOf(table, text));
    return { value, ranSql };
  }

  /** Holds the next answer to a SELECT of the table. */
  holdSelect(table: string): HeldAnswer {
    const reached = deferred();
    const released = deferred();
    this.#hook = (text) => {
      if (!isSelectOf(table, text)) return undefined;
      this.#hook = undefined;
      reached.resolve();
      return released.promise;
    };
    return { reached: reached.promise, letGo: () => released.resolve() };
  }

  /** Does `act` when the database has answered a COMMIT, before the client receives the answer. */
  onCommitted(act: () => void): void {
    this.#hook = (text) => {
      if (/^commit\b/i.test(text)) act();
    };
  }

  async #answered<T>(text: string, answer: T): Promise<T> {
    await this.#hook?.(text);
    return answer;
  }
}

const isSelectOf = (table: string, text: string): boolean =>
  /^\s*select\b/i.test(text) && text.includes(`FROM "${table}"`);

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return (statement as { text?: string }).text ?? '';
}
