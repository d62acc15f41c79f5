/**
 * Records the SQL that a data source's database connections send, whoever sends it: TypeORM, a
 * subscriber, or a plain `pg` call over the same driver. It hooks the driver itself, below every
 * layer that might answer from memory.
 */
import type { DataSource } from 'typeorm';

type Query = (this: unknown, statement: unknown, ...rest: unknown[]) => unknown;
interface ClientClass {
  prototype: { query: Query };
}

export class StatementCounter {
  #texts: string[] = [];

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
      counter.#texts.push(textOf(statement));
      return query.call(this, statement, ...rest);
    };
    return counter;
  }

  /** What was sent since the start or the last {@link reset}, oldest first. */
  get statements(): readonly string[] {
    return this.#texts;
  }

  /** The SELECTs among them that name the table in quotes. */
  selectsFrom(table: string): readonly string[] {
    return this.#texts.filter((text) => /^\s*select\b/i.test(text) && text.includes(`"${table}"`));
  }

  reset(): void {
    this.#texts = [];
  }

  detach(): void {
    this.restore();
  }
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return (statement as { text?: string }).text ?? '';
}
