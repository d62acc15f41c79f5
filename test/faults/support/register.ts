import pg from 'pg';
import type { Answer } from '../../e2e/support/answer.js';
import type { FaultCluster } from './fault-cluster.js';
import type { Member } from './member.js';
import { OUTBOX } from './outbox.js';

/** A way to read a register over HTTP. */
export interface View {
  readonly path: string;
  /** Whether the answer is the view's while the register holds the number. */
  shows(answer: Answer, number: number): boolean;
}

/** The stored state of a register. */
export interface Holding {
  readonly number: number;
  /** Written past the service; its row is still in the outbox. */
  readonly isPending: boolean;
}

interface Summary {
  readonly id: number;
  readonly username: string;
}

/**
 * A user whose name holds a number, and whose region shows whether the number is even. Every write
 * gives a higher number, so the newer of two answers is known, and moves the user to the other region.
 */
export class Register {
  readonly views: readonly View[];
  /** The users of the region the register is in while its number is even. */
  readonly evenList: View;
  #highest = 0;
  /** The row of the outbox of each number that was written past the service, once it is known. */
  readonly #recordedAs = new Map<number, string | undefined>();

  private constructor(
    private readonly cluster: FaultCluster,
    private readonly label: string,
    readonly id: number,
  ) {
    const list = (parity: 0 | 1): View => ({
      path: `/users?region=${this.#regionOf(parity)}`,
      shows: ({ json }, number) =>
        isEqual(json, number % 2 === parity ? [{ id, username: this.#nameOf(number) }] : []),
    });
    this.evenList = list(0);
    this.views = [
      {
        path: this.path,
        shows: ({ json }, number) =>
          isEqual(json, {
            id,
            username: this.#nameOf(number),
            region: this.#regionOf(number),
            email: EMAIL,
          }),
      },
      this.evenList,
      list(1),
      {
        // Restricted in nothing: depends on the table as a whole.
        path: `/users?limit=1000&after=${id - 1}`,
        shows: ({ json }, number) =>
          (json as Summary[]).some((user) => user.username === this.#nameOf(number)),
      },
    ];
  }

  /** Holds 0. */
  static async create(cluster: FaultCluster): Promise<Register> {
    const label = `R${cluster.nextRegister()}`;
    const fields = { username: `${label}#0`, region: `${label}e`, email: EMAIL };
    const [first] = cluster.members;
    const answer = await first.instance.post('/users', fields);
    if (answer.status !== 201) throw new Error(`Not created: ${answer.body.toString()}`);
    return new Register(cluster, label, (answer.json as Summary).id);
  }

  get path(): string {
    return `/users/${this.id}`;
  }

  /** The highest number that was ever written, committed or not. */
  get highest(): number {
    return this.#highest;
  }

  /** Writes the next number. */
  write(member: Member): Promise<Answer> {
    this.#highest += 1;
    const number = this.#highest;
    const fields = { username: this.#nameOf(number), region: this.#regionOf(number) };
    return member.patch(this.path, fields);
  }

  /** Writes the next number past the service. */
  async writeOutside(): Promise<void> {
    await this.#writeOutside((update) => `${update}; SELECT ${LAST_RECORDED} AS id`);
  }

  /**
   * Writes the next number past the service without a notification: in the name of
   * the service, which the triggers trust, with the row that they would have recorded.
   */
  async writeUnnoticed(): Promise<void> {
    const regions = {
      id: [[String(this.id)]],
      region: [[this.#regionOf(0)], [this.#regionOf(1)]],
    };
    await this.#writeOutside(
      (update) => `SET tidemark.publishes = 'tidemark'; ${update};
        INSERT INTO ${OUTBOX} (table_name, regions)
          VALUES ('public.users', ${pg.escapeLiteral(JSON.stringify(regions))}) RETURNING id`,
    );
  }

  /** The number in the database, past all instances. */
  async stored(): Promise<number> {
    const text = 'SELECT username FROM users WHERE id = $1';
    const [row] = await this.cluster.sql<{ username: string }>(text, [this.id]);
    return Number(row?.username.split('#')[1]);
  }

  /** The same, with whether the write may not be relayed yet. */
  async holding(): Promise<Holding> {
    const number = await this.stored();
    if (!this.#recordedAs.has(number)) return { number, isPending: false };
    const id = this.#recordedAs.get(number);
    if (id === undefined) return { number, isPending: true };
    const rows = await this.cluster.sql(`SELECT FROM ${OUTBOX} WHERE id = $1`, [id]);
    return { number, isPending: rows.length > 0 };
  }

  /** Runs in one transaction; the last statement returns the id of the row in the outbox. */
  async #writeOutside(statements: (update: string) => string): Promise<void> {
    this.#highest += 1;
    const number = this.#highest;
    this.#recordedAs.set(number, undefined);
    const [row] = await this.cluster.psql<{ id: string }>(
      statements(
        `UPDATE users SET username = '${this.#nameOf(number)}', region = '${this.#regionOf(number)}'
           WHERE id = ${this.id}`,
      ),
    );
    this.#recordedAs.set(number, row?.id);
  }

  #nameOf(number: number): string {
    return `${this.label}#${number}`;
  }

  #regionOf(number: number): string {
    return `${this.label}${number % 2 === 0 ? 'e' : 'o'}`;
  }
}

const LAST_RECORDED = `currval(pg_get_serial_sequence('${OUTBOX}', 'id'))`;
const EMAIL = 'register@example.com';

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
