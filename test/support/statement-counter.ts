/**
 * Records the SQL that a data source's database connections send, whoever sends it but a relay: TypeORM, a
 * subscriber, or a plain `pg` call over the same driver. It hooks the driver itself, below every
 * layer that might answer from memory.
 */
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { RELAY_NAME } from '../../src/cache-invalidation/outbox/outbox-session.js';

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
      if (!isOfRelay(this)) counter.#texts.push(textOf(statement));
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

/** A relay asks at any time, over a connection of its own. */
function isOfRelay(client: unknown): boolean {
  const { connectionParameters } = client as pg.Client & {
    connectionParameters: { application_name?: string };
  };
  return connectionParameters.application_name === RELAY_NAME;
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return (statement as { text?: string }).text ?? '';
}
