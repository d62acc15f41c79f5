/**
 * The users that one writer owns, and the right answers to reads of them.
 *
 * A territory has its rows after the newest write that is known to have happened and, while a write is under way, its
 * rows after that write.
 */
import { ABSENT, History } from './history.js';

export interface Row {
  /** `undefined` until the id that the database gave is known. */
  id: number | undefined;
  readonly username: string;
  readonly region: string;
  readonly email: string;
}

export type StoredRow = Row & { id: number };

const REGIONS_A_TERRITORY = 3;

/** The register of how many users each region of the territory has. */
export const COUNTS = 'counts';

export function listOf(region: string): string {
  return `region ${region}`;
}

export function userOf(id: number): string {
  return `user ${id}`;
}

/** Which territory a region belongs to. */
export function territoryOf(region: string): string {
  return region.slice(0, region.lastIndexOf('-'));
}

export class Territory {
  readonly history: History;
  readonly regions: readonly string[];
  /** Ids of users that were deleted, newest last. */
  readonly deleted: number[] = [];
  #rows: readonly Row[] = [];
  #next: readonly Row[] | undefined;
  #serial = 0;

  /** `name`: of letters and digits, at most 8. */
  constructor(readonly name: string) {
    this.regions = Array.from(
      { length: REGIONS_A_TERRITORY },
      (_, index) => `${name}-${String.fromCodePoint(97 + index)}`,
    );
    this.history = new History(name, registersOf([], this.regions) as Map<string, string>);
  }

  /** The rows after the newest write that has happened. */
  get rows(): readonly StoredRow[] {
    return this.#rows as readonly StoredRow[];
  }

  /** The rows after the write under way. */
  get next(): readonly Row[] | undefined {
    return this.#next;
  }

  /** A text that no write of this territory has used. */
  fresh(): string {
    this.#serial += 1;
    return `${this.name}.${this.#serial}`;
  }

  /** A write that leads to these rows is about to be sent. */
  propose(next: readonly Row[], nowMs: number): void {
    const before = registersOf(this.#rows, this.regions);
    const changes = new Map<string, string | undefined>();
    const after = registersOf(next, this.regions);
    for (const [register, value] of after) {
      if (value === undefined || before.get(register) !== value) changes.set(register, value);
    }
    for (const register of before.keys()) if (!after.has(register)) changes.set(register, ABSENT);
    this.#next = next;
    this.history.propose(changes, nowMs);
  }

  /** The ids that the write under way has given, by username. */
  addIds(ids: ReadonlyMap<string, number>, nowMs: number): void {
    const next = this.#next;
    if (!next) throw new Error(`${this.name}: no write is under way`);
    const inserted = next.filter((row) => row.id === undefined);
    if (inserted.length === 0) return;
    for (const row of inserted) row.id = ids.get(row.username);
    const values = [...registersOf(next, this.regions)].filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const current = registersOf(this.#rows, this.regions);
    this.history.put(
      new Map(values.filter(([register, value]) => current.get(register) !== value)),
      nowMs,
    );
  }

  /** The write under way has happened, and all its ids are known. */
  settle(): void {
    if (!this.#next) throw new Error(`${this.name}: no write is under way`);
    const kept = new Set(this.#next.map(({ id }) => id));
    this.deleted.push(...this.rows.map(({ id }) => id).filter((id) => !kept.has(id)));
    if (this.deleted.length > 20) this.deleted.splice(0, this.deleted.length - 20);
    this.#rows = [...this.#next].sort((one, other) => (one.id ?? 0) - (other.id ?? 0));
    this.#next = undefined;
  }

  /** Returns whether no read has seen the write. */
  revoke(): boolean {
    this.#next = undefined;
    return this.history.revoke();
  }
}

/** The body of `GET /users/:id`. */
export function detailsOf({ id, username, region, email }: Row): string {
  return JSON.stringify({ id, username, region, email });
}

/** Whether the rows are these, except for unknown ids. */
export function isEqual(rows: readonly StoredRow[], expected: readonly Row[]): boolean {
  if (rows.length !== expected.length) return false;
  const byName = new Map(rows.map((row) => [row.username, row]));
  return expected.every((row) => {
    const stored = byName.get(row.username);
    if (!stored) return false;
    return detailsOf({ ...row, id: row.id ?? stored.id }) === detailsOf(stored);
  });
}

/** The values of all registers; `undefined` where an id is missing. */
function registersOf(
  rows: readonly Row[],
  regions: readonly string[],
): Map<string, string | undefined> {
  const registers = new Map<string, string | undefined>();
  const counts: string[] = [];
  const ordered = [...rows].sort((one, other) => (one.id ?? Infinity) - (other.id ?? Infinity));
  for (const region of regions) {
    const inside = ordered.filter((row) => row.region === region);
    const isKnown = inside.every(({ id }) => id !== undefined);
    const list = inside.map(({ id, username }) => ({ id, username }));
    registers.set(listOf(region), isKnown ? JSON.stringify(list) : undefined);
    if (inside.length > 0) counts.push(`${region}=${inside.length}`);
  }
  registers.set(COUNTS, counts.join(' '));
  for (const row of rows) if (row.id !== undefined) registers.set(userOf(row.id), detailsOf(row));
  return registers;
}
