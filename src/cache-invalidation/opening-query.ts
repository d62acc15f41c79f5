/**
 * A statement that opens a transaction on its way: what opens it and the statement are one sequence of
 * the extended query protocol, up to one Sync, and so one round trip. Where one fails, the server
 * skips the next (PostgreSQL, "Extended Query" in "Message Flow").
 */
import pg from 'pg';
import type { PostgresClient, StatementAnswer } from './postgres-client.js';

/** What node-postgres gives a query to send itself over. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: object): void;
  bind(message: object): void;
  execute(message: object): void;
}

/** What node-postgres calls on a query, beside what its types tell. */
interface QueryInside {
  queryMode: 'extended' | undefined;
  callback: (error: Error | null, answer: StatementAnswer) => void;
  submit(wire: Wire): Error | null;
  handleCommandComplete(message: unknown, wire: Wire): void;
}

const BaseQuery = pg.Query as unknown as new (
  text: string,
  values: readonly unknown[],
) => QueryInside;

class OpeningQuery extends BaseQuery {
  /** Statements of the opening that have not been carried out. */
  #opening: number;

  constructor(
    private readonly opening: readonly string[],
    text: string,
    values: readonly unknown[],
    override readonly callback: QueryInside['callback'],
  ) {
    super(text, values);
    this.queryMode = 'extended';
    this.#opening = opening.length;
  }

  override submit(wire: Wire): Error | null {
    wire.stream.cork();
    try {
      for (const statement of this.opening) {
        wire.parse({ text: statement });
        wire.bind({});
        wire.execute({});
      }
      return super.submit(wire);
    } finally {
      wire.stream.uncork();
    }
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.#opening > 0) this.#opening -= 1;
    else super.handleCommandComplete(message, wire);
  }
}

/** Whether a statement can open its transaction over such a client: not over a native one. */
export function canOpen(client: PostgresClient): boolean {
  return client instanceof pg.Client;
}

/** Opens a transaction with some statements, and carries one more out in it. */
export function openWith(
  client: PostgresClient,
  opening: readonly string[],
  text: string,
  values: readonly unknown[],
): Promise<StatementAnswer> {
  return new Promise((resolve, reject) => {
    const query = new OpeningQuery(opening, text, values, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
    client.query(query);
  });
}

/**
 * Lets the statement open a transaction when it is sent: the next time that the client is asked for it.
 * Answers a function that takes this back, and tells whether it was in time.
 *
 * @param send does it in place of the client.
 */
export function openWhenSent(
  client: PostgresClient,
  text: string,
  send: (values: readonly unknown[]) => Promise<StatementAnswer>,
): () => boolean {
  const before = Object.getOwnPropertyDescriptor(client, 'query');
  const query = client.query.bind(client) as (...sent: unknown[]) => unknown;
  let isWaiting = true;
  const takeBack = (): boolean => {
    if (!isWaiting) return false;
    isWaiting = false;
    // Someone else may have laid a hand on it meanwhile: theirs leads here, and from here on.
    if (client.query !== waiting) return true;
    if (before) Object.defineProperty(client, 'query', before);
    else Reflect.deleteProperty(client, 'query');
    return true;
  };
  const waiting = ((...sent: unknown[]) => {
    const [asked, values] = sent;
    if (!isWaiting || asked !== text || !Array.isArray(values)) return query(...sent);
    takeBack();
    return send(values);
  }) as PostgresClient['query'];
  client.query = waiting;
  return takeBack;
}
