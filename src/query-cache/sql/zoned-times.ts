/**
 * Times of day with a zone (`timetz`). A text or a plain time of day that meets one is converted
 * with the offset that its time zone has today, so such an answer changes at midnight or when
 * daylight saving time begins or ends, without a write. PostgreSQL converts in many places of a
 * statement: operands, rows, CASE, COALESCE, UNION, IN, joins, arguments.
 *
 * So the rule names the places where nothing is converted, and refuses all others: a column that
 * is shown, sorted or grouped by as it is, or compared with NULL. Columns are recognised by name
 * alone. A column of another table that has the same name is refused with them.
 */
import type { TableFacts } from '../core/table-facts.js';
import { ReadRefusal } from './read-refusal.js';
import { namesOf, pick, visit, type Node, type SelectStmt } from './syntax-tree.js';

type Fields = Readonly<Record<string, unknown>>;

export function zonedTime(remedy = ''): ReadRefusal {
  const detail = `a time of day gets the present offset of its time zone${remedy}`;
  return new ReadRefusal('volatile-function', detail);
}

export class ZonedTimes {
  /** Columns that hold such a time, then also the names under which subqueries show them. */
  readonly #columns = new Set<string>();
  readonly #trees: Node[] = [];
  readonly #conditions: unknown[] = [];
  /** Names of tables and subqueries, by which a whole row can be meant. */
  readonly #rows = new Set<string>();

  addTable({ columns }: TableFacts): void {
    for (const { name, nature } of columns.values()) {
      if (nature === 'zoned-time') this.#columns.add(name);
    }
  }

  /** The statement, or the definition of a view that it reads. */
  addTree(tree: Node): void {
    this.#trees.push(tree);
  }

  /** An expression that decides which rows are seen. */
  addCondition(condition: unknown): void {
    this.#conditions.push(condition);
  }

  /**
   * To be called when all tables and trees have been added.
   *
   * @throws ReadRefusal where a time of day may be converted.
   */
  check(): void {
    if (this.#columns.size === 0) return;
    let known: number;
    do {
      known = this.#columns.size;
      for (const tree of this.#trees) visit([tree], (key, part) => this.#name(key, part as Fields));
    } while (this.#columns.size > known);
    for (const tree of this.#trees) this.#select(pick(tree, 'SelectStmt') ?? {}, true);
    this.#expression(this.#conditions);
  }

  /** Collects the names that a part of a tree gives to rows, and to columns that hold such a time. */
  #name(key: string, fields: Fields): void {
    if (key === 'RangeVar') this.#rows.add(String(fields['relname']));
    if (key === 'CommonTableExpr') this.#rows.add(String(fields['ctename']));
    if (key === 'alias' || key.endsWith('_alias')) {
      this.#rows.add(String(fields['aliasname']));
      for (const name of namesOf(fields['colnames'] as Node[])) this.#columns.add(name);
    }
    for (const name of namesOf(fields['aliascolnames'] as Node[])) this.#columns.add(name);
    if (key !== 'ResTarget' || typeof fields['name'] !== 'string') return;
    const shown = namesOf(pick(fields['val'] as Node, 'ColumnRef')?.fields).at(-1);
    if (shown !== undefined && this.#columns.has(shown)) this.#columns.add(fields['name']);
  }

  /** @param shows whether its columns are shown as they are, to the client or to another query. */
  #select(select: SelectStmt, shows: boolean): void {
    const { larg, rarg, targetList, sortClause, groupClause, distinctClause, ...rest } = select;
    for (const part of [larg, rarg]) if (part) this.#select(part, false);
    for (const target of targetList ?? []) {
      const value = pick(target, 'ResTarget')?.val;
      if (!shows || !this.#isPlainColumn(value)) this.#expression(value);
    }
    for (const item of [...(sortClause ?? []), ...(groupClause ?? []), ...(distinctClause ?? [])]) {
      if (!this.#isPlainColumn(pick(item, 'SortBy')?.node ?? item)) this.#expression(item);
    }
    this.#expression(rest);
  }

  /** Whether the node is a column or all columns, and not a row as one value. */
  #isPlainColumn(node: Node | undefined): boolean {
    const fields = pick(node, 'ColumnRef')?.fields;
    return fields !== undefined && !this.#isRow(namesOf(fields));
  }

  #isRow(names: readonly string[]): boolean {
    const [last = '', qualifier] = names.toReversed();
    return this.#rows.has(last) && (qualifier === undefined || !this.#rows.has(qualifier));
  }

  #expression(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) this.#expression(item);
      return;
    }
    const node = value as Node;
    const column = pick(node, 'ColumnRef');
    const names = namesOf(column?.fields);
    const join = pick(node, 'JoinExpr');
    // A column without a name stands for all columns.
    const compared = [...names.slice(-1), ...namesOf(join?.usingClause)];
    const isConverted = compared.some((name) => name === '' || this.#columns.has(name));
    if (isConverted || join?.isNatural === true || this.#isRow(names)) throw zonedTime();
    if (this.#isPlainColumn(pick(node, 'NullTest')?.arg)) return;
    const shown = pick(node, 'RangeSubselect')?.subquery ?? pick(node, 'CommonTableExpr')?.ctequery;
    for (const [key, child] of Object.entries(node) as [string, unknown][]) {
      if (key === 'SelectStmt') this.#select(child as SelectStmt, false);
      else if (shown) this.#select(pick(shown, 'SelectStmt') ?? {}, true);
      else this.#expression(child);
    }
  }
}
