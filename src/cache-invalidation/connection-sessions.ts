/** The sessions of all connections over which the data source has sent a statement. */
import type { QueryRunner } from 'typeorm';
import { ConnectionSession } from './connection-session.js';
import type { PostgresClient } from './postgres-client.js';

export class ConnectionSessions {
  readonly #byClient = new WeakMap<object, ConnectionSession>();
  /** Those whose connection has not ended. */
  readonly #living = new Set<ConnectionSession>();

  /**
   * @param opening the statements that open a transaction for a single statement.
   * @param meet is called once for each session, before its first statement.
   */
  constructor(
    private readonly opening: readonly string[],
    private readonly meet: (session: ConnectionSession) => void,
  ) {}

  /**
   * Whether the application has a transaction open over any connection. It is read off the connections
   * themselves, so that no end of a transaction can be missed.
   */
  get hasTransaction(): boolean {
    for (const session of this.#living) {
      if (session.isInTransaction && !session.isInOwnTransaction) return true;
    }
    return false;
  }

  async of(queryRunner: QueryRunner): Promise<ConnectionSession> {
    const client = (await queryRunner.connect()) as PostgresClient;
    let session = this.#byClient.get(client);
    if (!session) {
      const added = new ConnectionSession(client, this.opening);
      session = added;
      // Its earlier statements were not followed.
      if (added.isInTransaction) added.log.addForGood('anything');
      this.#byClient.set(client, added);
      this.#living.add(added);
      client.on('end', () => this.#living.delete(added));
      this.meet(added);
    }
    return session;
  }
}
