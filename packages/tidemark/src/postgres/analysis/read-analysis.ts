/** The tables that a SELECT reads and their restrictions, or why its answer is not cacheable. */
import type { ReadAnalysis } from '../../core/statement-analysis.js';
import type { Catalog, TableFacts } from '../../core/table-facts.js';
import { restrictionsOf, EqualityReader, type TableReference } from './restriction.js';
import {
  ExpressionRules,
  PRESENT_OFFSET,
  ReadRefusal,
  type QueryLevel,
} from './expression-rules.js';
import { itemsOf, readFromClause, tableItem, type TableResolver } from './from-clause.js';
import { isRowPerKey } from './row-per-key.js';
import {
  parse,
  pick,
  type RangeVar,
  type RawStmt,
  type SelectStmt,
  type WithClause,
} from './syntax-tree.js';
import { TermReader } from './terms.js';
import { whyUnrestricted } from './whole-table-reasons.js';

/** The names of the common table expressions in scope. */
type Names = ReadonlySet<string>;

interface Context {
  readonly level: QueryLevel;
  readonly names: Names;
}

export function analyseRead(statements: readonly RawStmt[], catalog: Catalog): ReadAnalysis {
  const [only] = statements;
  const select = pick(only?.stmt, 'SelectStmt');
  try {
    if (statements.length > 1) {
      throw new ReadRefusal('several-statements', 'the text has several statements');
    }
    if (!select) throw new ReadRefusal('not-a-select', 'the statement is no SELECT');
    return new ReadAnalyser(select, catalog).analyse();
  } catch (error) {
    if (!(error instanceof ReadRefusal)) throw error;
    return { cacheable: false, reason: error.reason, detail: error.detail };
  }
}

/** Why the statement reads tables without a restriction, by table; empty if it is not cacheable. */
export function whyWhole(
  statements: readonly RawStmt[],
  catalog: Catalog,
): ReadonlyMap<string, string> {
  const select = pick(statements[0]?.stmt, 'SelectStmt');
  if (!select || !analyseRead(statements, catalog).cacheable) return new Map();
  const analyser = new ReadAnalyser(select, catalog);
  analyser.analyse();
  return analyser.whyWhole();
}

class ReadAnalyser {
  readonly #rules: ExpressionRules;
  readonly #terms: TermReader;
  readonly #equalities: EqualityReader;
  readonly #references: TableReference[] = [];
  /** The views whose definitions are being analysed, outermost first. */
  readonly #views: string[] = [];
  #hasReadViews = false;
  /** The tables whose policies have been analysed. */
  readonly #secured = new Set<TableFacts>();

  constructor(
    private readonly statement: SelectStmt,
    private readonly catalog: Catalog,
  ) {
    this.#rules = new ExpressionRules(catalog);
    this.#terms = new TermReader(statement);
    this.#equalities = new EqualityReader(this.#terms);
  }

  analyse(): ReadAnalysis {
    this.#select(this.statement, undefined, new Set());
    const references = this.#references;
    const tables = [...this.#byTable()].map(([table, own]) => ({
      table: table.id,
      restrictions: restrictionsOf(table, own, this.#terms),
    }));
    const [table] = references.map((reference) => reference.table);
    const rowPerKey =
      references.length === 1 &&
      !this.#hasReadViews &&
      // Inheriting children may have rows with the same key.
      (table?.kind === 'partitioned' || table?.relatives.length === 0) &&
      tables[0]?.restrictions[0]?.dimension.name === table.primaryKey &&
      isRowPerKey(this.statement);
    return { cacheable: true, tables, rowPerKey };
  }

  /** Call after {@link analyse}. */
  whyWhole(): ReadonlyMap<string, string> {
    const reasons = [...this.#byTable()]
      .filter(([table, own]) => restrictionsOf(table, own, this.#terms).length === 0)
      .map(([table, own]) => [table.id, whyUnrestricted(table, own, this.#terms)] as const);
    return new Map(reasons);
  }

  #byTable(): ReadonlyMap<TableFacts, readonly TableReference[]> {
    const references = this.#references;
    return new Map(
      references.map(({ table: of }) => [of, references.filter(({ table }) => table === of)]),
    );
  }

  #select(select: SelectStmt, parent: QueryLevel | undefined, outer: Names): void {
    const { larg, rarg, withClause, ...rest } = select;
    if (rest.intoClause) throw new ReadRefusal('not-a-select', 'SELECT INTO makes a table');
    if (rest.lockingClause) throw new ReadRefusal('locking-read', 'the statement locks rows');
    const names = withClause ? this.#commonTables(withClause, parent, outer) : outer;
    for (const part of [larg, rarg]) if (part) this.#select(part, parent, names);

    const from = readFromClause(rest.fromClause ?? [], this.#resolver(names));
    for (const { table } of itemsOf(from.root)) if (table) this.#table(table);
    const references = this.#equalities.references(from.root, rest.whereClause, from.visible);
    // A view has been analysed by its definition.
    this.#references.push(...references.filter(({ table }) => table.kind !== 'view'));
    this.#expressions(rest, { level: { parent, visible: from.visible }, names });
  }

  /** Analyses the WITH clause and returns the names in scope in the rest of the statement. */
  #commonTables(clause: WithClause, parent: QueryLevel | undefined, outer: Names): Names {
    const tables = (clause.ctes ?? []).map((node) => pick(node, 'CommonTableExpr') ?? {});
    const all = new Set([...outer, ...tables.map(({ ctename = '' }) => ctename)]);
    // Without RECURSIVE a name is in scope only after its own query.
    const before = new Set(outer);
    for (const table of tables) {
      const query = pick(table.ctequery, 'SelectStmt');
      if (!query) throw new ReadRefusal('not-a-select', 'a common table expression writes');
      // SEARCH and CYCLE contain only column names and constants.
      this.#select(query, parent, clause.recursive ? all : new Set(before));
      before.add(table.ctename ?? '');
    }
    return all;
  }

  #resolver(names: Names): TableResolver {
    return (range) => {
      const { schemaname: schema, relname: name = '' } = range;
      if (schema === undefined && names.has(name)) return undefined;
      const table = range.catalogname ? undefined : this.catalog.table(schema, name);
      if (!table) throw unknownTable(range);
      return table;
    };
  }

  #table(table: TableFacts): void {
    for (const { name, nature } of table.columns.values()) {
      // PostgreSQL converts texts and plain times to such a time in many places of a statement.
      if (nature !== 'zoned-time') continue;
      throw new ReadRefusal('volatile-function', `${table.id}.${name}: ${PRESENT_OFFSET}`);
    }
    const relatives = table.relatives.flatMap((id) => this.catalog.tableById(id) ?? []);
    const family = [table, ...relatives];
    const foreign = family.find(({ kind }) => kind === 'foreign');
    if (foreign) {
      throw new ReadRefusal('foreign-table', `${foreign.id} is a table of another server`);
    }
    const unlogged = family.find(({ isUnlogged }) => isUnlogged);
    if (unlogged) {
      throw new ReadRefusal('unlogged-table', `${unlogged.id} is emptied when PostgreSQL crashes`);
    }
    if (table.kind === 'view') this.#view(table);
    // A view reads with the rights of its owner, to whom other policies may apply.
    const isSecured = table.hasRowSecurity || (this.#views.length > 0 && table.isRowSecured);
    if (isSecured) this.#policies(table);
  }

  /** A view is a subquery: its tables are read under its conditions. */
  #view({ id, definition }: TableFacts): void {
    const [statement, ...others] = definition === undefined ? [] : parse(definition);
    const select = pick(statement?.stmt, 'SelectStmt');
    if (!select || others.length > 0) throw new ReadRefusal('view', `${id} has no query`);
    if (this.#views.includes(id)) throw new ReadRefusal('view', `${id} reads itself`);
    this.#hasReadViews = true;
    this.#views.push(id);
    this.#select(select, undefined, new Set());
    this.#views.pop();
  }

  /** The conditions that decide which rows a role sees may read other tables. */
  #policies(table: TableFacts): void {
    if (this.#secured.has(table)) return;
    this.#secured.add(table);
    const { schema: schemaname, name: relname } = table;
    const level = { parent: undefined, visible: [tableItem({ schemaname, relname }, table)] };
    for (const policy of table.policies) {
      try {
        const select = pick(parse(`SELECT ${policy}`)[0]?.stmt, 'SelectStmt');
        this.#expressions(select?.targetList ?? [], { level, names: new Set() });
      } catch (error) {
        if (!(error instanceof ReadRefusal)) throw error;
        throw new ReadRefusal('row-security', `a policy of ${table.id}: ${error.detail}`);
      }
    }
  }

  /** Checks everything below: subqueries like the statement itself, other nodes by the rules. */
  #expressions(tree: object, { level, names }: Context): void {
    for (const [key, value] of Object.entries(tree) as [string, unknown][]) {
      if (typeof value !== 'object' || value === null) continue;
      if (key === 'SelectStmt') this.#select(value, level, names);
      else {
        this.#rules.check(key, value, tree, level);
        this.#expressions(value, { level, names });
      }
    }
  }
}

function unknownTable({ schemaname, relname }: RangeVar): ReadRefusal {
  if (schemaname?.startsWith('pg_temp')) {
    return new ReadRefusal('temporary-table', `${relname} belongs to one connection`);
  }
  const name = schemaname === undefined ? relname : `${schemaname}.${relname}`;
  return new ReadRefusal('unknown-table', `${name} is no table of the catalog`);
}
