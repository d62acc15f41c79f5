/** The regions that one transaction has written, and the versions that it therefore replaces. */
import type { WriteCause, WriteStatement } from './ports/cache-events.js';
import type { TableVersionNames } from './ports/version-store.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from './versions.js';

/** With more values than this, a write replaces `d?` instead of one version per value. */
export const MAX_VALUES = 100;

/** Most statements that a write names as its cause. */
const MAX_STATEMENTS = 8;
/** Most texts among which they are. */
const MAX_TEXTS = 32;

/** A statement whose name for events is made on demand: that of a new text costs another parse. */
export interface NameableStatement {
  readonly sql: string;
  readonly name: () => WriteStatement;
}

/** Values of the old and the new rows. */
type Values = ReadonlySet<string> | 'unknown';

export interface WrittenTable {
  /** The table's identity, `schema.name`. */
  readonly table: string;
  /** Every dimension. */
  readonly dimensions: ReadonlyMap<string, Values>;
}

/** The names of the versions to replace (versions.ts). */
export function versionNamesOf({ dimensions }: WrittenTable): string[] {
  const names = [WHOLE_TABLE];
  for (const [dimension, values] of dimensions) {
    if (values === 'unknown' || values.size > MAX_VALUES) names.push(unknownVersion(dimension));
    else for (const value of values) names.push(valueVersion(dimension, value));
  }
  return names;
}

/** The version names of several tables. */
export function versionNames(
  written: ReadonlyMap<string, WrittenTable>,
): readonly TableVersionNames[] {
  return [...written.values()].map((part) => ({ table: part.table, names: versionNamesOf(part) }));
}

/**
 * The union of two write sets of one table. A dimension with too many values does not keep them: otherwise the values
 * of a thousand writes would be copied a thousand times.
 */
export function mergeWritten(a: WrittenTable, b: WrittenTable): WrittenTable {
  const names = new Set([...a.dimensions.keys(), ...b.dimensions.keys()]);
  const dimensions = [...names].map((name) => {
    return [name, mergeValues(a.dimensions.get(name), b.dimensions.get(name))] as const;
  });
  return { table: a.table, dimensions: new Map(dimensions) };
}

/** If one write set lacks a dimension, its change there is unknown. */
function mergeValues(left: Values = 'unknown', right: Values = 'unknown'): Values {
  if (left === 'unknown' || right === 'unknown') return 'unknown';
  const values = new Set([...left, ...right]);
  return values.size > MAX_VALUES ? 'unknown' : values;
}

/** The tables written; `all-tables` after a statement that may have written any table. */
export type Written = ReadonlyMap<string, WrittenTable> | 'all-tables';

class Part {
  readonly tables = new Map<string, WrittenTable>();
  /** By text, in the order of their first execution. */
  readonly statements = new Map<string, NameableStatement>();
  isAnything = false;

  constructor(readonly savepoint?: string) {}

  add(written: WrittenTable | 'all-tables'): void {
    if (written === 'all-tables') {
      this.isAnything = true;
      return;
    }
    const before = this.tables.get(written.table);
    this.tables.set(written.table, before ? mergeWritten(before, written) : written);
  }

  name(statement: NameableStatement): void {
    if (this.statements.size >= MAX_TEXTS || this.statements.has(statement.sql)) return;
    this.statements.set(statement.sql, statement);
  }

  addAll({ tables, statements, isAnything }: Part): void {
    for (const statement of statements.values()) this.name(statement);
    for (const written of tables.values()) this.add(written);
    this.isAnything ||= isAnything;
  }
}

/** Names the statements when they are first read. */
export function causeOf(
  origin: string | undefined,
  statements: readonly NameableStatement[],
): WriteCause {
  let unnamed = statements;
  let named: readonly WriteStatement[] = [];
  return {
    origin,
    get statements() {
      if (unnamed.length > 0) named = namesOf(unnamed);
      unnamed = [];
      return named;
    },
  };
}

function namesOf(statements: readonly NameableStatement[]): readonly WriteStatement[] {
  const named = new Map<string, WriteStatement>();
  for (const statement of statements) {
    if (named.size === MAX_STATEMENTS) break;
    const name = statement.name();
    if (!named.has(name.fingerprint)) named.set(name.fingerprint, name);
  }
  return [...named.values()];
}

/**
 * The writes of one open transaction, savepoint by savepoint. A savepoint that is rolled back drops its part; a
 * released one merges into the part before it.
 */
export class TransactionLog {
  /** More may have been written than is known here: the server is asked before COMMIT. */
  mayHaveMore = false;
  /** The writes that no ROLLBACK TO undoes. */
  #first = new Part();
  /** The open savepoints, latest last. */
  #savepoints: Part[] = [];
  #origin: string | undefined;

  add(written: WrittenTable | 'all-tables'): void {
    this.#last.add(written);
  }

  /** Adds the writes of a statement that may itself set and end savepoints: no ROLLBACK TO is known to undo them. */
  addForGood(written: WrittenTable | 'all-tables'): void {
    this.#first.add(written);
  }

  /** Names a statement that has written, for events. */
  name(statement: NameableStatement, origin: string | undefined): void {
    this.#last.name(statement);
    this.#origin ??= origin;
  }

  savepoint(name: string): void {
    this.#savepoints.push(new Part(name));
  }

  /** RELEASE also releases the savepoints set after the named one. */
  release(name: string): void {
    const released = this.#takeFrom(name);
    for (const part of released) this.#last.addAll(part);
  }

  /** ROLLBACK TO undoes the writes after the savepoint and keeps the savepoint. */
  rollbackTo(name: string): void {
    if (this.#takeFrom(name).length > 0) this.savepoint(name);
  }

  get isAnything(): boolean {
    return [this.#first, ...this.#savepoints].some(({ isAnything }) => isAnything);
  }

  written(): Written {
    if (this.isAnything) return 'all-tables';
    const all = new Part();
    for (const part of [this.#first, ...this.#savepoints]) all.addAll(part);
    return all.tables;
  }

  /** @param origin that of COMMIT: it counts if no named statement had one. */
  cause(origin: string | undefined): WriteCause {
    const all = new Part();
    for (const part of [this.#first, ...this.#savepoints])
      part.statements.forEach((one) => all.name(one));
    return causeOf(this.#origin ?? origin, [...all.statements.values()]);
  }

  /** The names of the written tables. */
  tables(): readonly string[] | 'all-tables' {
    const written = this.written();
    return written === 'all-tables' ? written : [...written.keys()];
  }

  /** The transaction has ended, by COMMIT or ROLLBACK. */
  clear(): void {
    this.#first = new Part();
    this.#savepoints = [];
    this.#origin = undefined;
    this.mayHaveMore = false;
  }

  /** Removes the latest savepoint of that name, which hides earlier ones of the same name, and those set after it. */
  #takeFrom(name: string): Part[] {
    const index = this.#savepoints.findLastIndex(({ savepoint }) => savepoint === name);
    return index === -1 ? [] : this.#savepoints.splice(index);
  }

  get #last(): Part {
    return this.#savepoints.at(-1) ?? this.#first;
  }
}
