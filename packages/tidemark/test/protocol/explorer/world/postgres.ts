/**
 * PostgreSQL: the rows of one table and the transactions under way. Each commit makes a new state;
 * answers are compared with the states in their order (linearizability.ts).
 */
export interface Row {
  readonly region: string;
  readonly value: number;
}

/** The committed rows by primary key. */
export type State = ReadonlyMap<number, Row>;

export class Transaction {
  isOpen = true;
  #frames: { readonly savepoint: string; readonly writes: Map<number, Row | undefined> }[] = [
    { savepoint: '', writes: new Map() },
  ];

  constructor(
    /** Its identity, as `pg_stat_activity` shows it. */
    readonly id: string,
    readonly backendPid: number,
    private readonly committed: () => State,
  ) {}

  /** As the transaction itself sees the rows. */
  get rows(): State {
    return this.appliedTo(this.committed());
  }

  set(key: number, row: Row | undefined): void {
    this.#frames.at(-1)?.writes.set(key, row);
  }

  get written(): readonly number[] {
    return this.#frames.flatMap(({ writes }) => [...writes.keys()]);
  }

  savepoint(name: string): void {
    this.#frames.push({ savepoint: name, writes: new Map() });
  }

  /** The rows stay locked until the transaction ends. */
  rollbackTo(name: string): void {
    const from = this.#frames.findLastIndex(({ savepoint }) => savepoint === name);
    this.#frames.splice(from, Infinity, { savepoint: name, writes: new Map() });
  }

  appliedTo(state: State): State {
    const rows = new Map(state);
    for (const { writes } of this.#frames) {
      for (const [key, row] of writes) {
        if (row) rows.set(key, row);
        else rows.delete(key);
      }
    }
    return new Map([...rows].toSorted(([a], [b]) => a - b));
  }
}

export class Postgres {
  readonly states: State[];
  readonly #transactions: Transaction[] = [];
  /** Grows when a transaction starts to write or ends. */
  activityChanges = 0;

  constructor(initial: State) {
    this.states = [initial];
  }

  get now(): State {
    return this.states.at(-1) ?? new Map();
  }

  begin(backendPid: number): Transaction {
    const id = `x${this.#transactions.length + 1}`;
    const transaction = new Transaction(id, backendPid, () => this.now);
    this.#transactions.push(transaction);
    this.activityChanges += 1;
    return transaction;
  }

  /** Returns the number of the new state. */
  commit(transaction: Transaction): number {
    this.states.push(transaction.appliedTo(this.now));
    this.#end(transaction);
    return this.states.length - 1;
  }

  abort(transaction: Transaction): void {
    this.#end(transaction);
  }

  isLocked(keys: readonly number[]): boolean {
    return this.open.some(({ written }) => written.some((key) => keys.includes(key)));
  }

  get open(): readonly Transaction[] {
    return this.#transactions.filter(({ isOpen }) => isOpen);
  }

  writers(): ReadonlyMap<number, string> {
    return new Map(this.open.map(({ backendPid, id }) => [backendPid, id]));
  }

  describe(): string {
    const open = this.open.map(({ backendPid, id, rows }) => `${backendPid} ${id} ${show(rows)}`);
    return [...this.states.map(show), ...open].join(';');
  }

  #end(transaction: Transaction): void {
    transaction.isOpen = false;
    this.activityChanges += 1;
  }
}

export function show(rows: State): string {
  return [...rows].map(([key, { region, value }]) => `${key}:${region}=${value}`).join(' ');
}
