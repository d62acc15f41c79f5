/** Which tables a SELECT reads, what confines it in each, or why its answer is not cacheable. */
import type { ReadAnalysis } from '../core/statement-analysis.js';
import type { Catalogue, TableFacts } from '../core/table-facts.js';
import { confinementsOf, EqualityReader, type TableReference } from './confinement.js';
import { ExpressionRules, type QueryLevel } from './expression-rules.js';
import { itemsOf, readFromClause, tableItem, type TableResolver } from './from-clause.js';
import { READ_GRAMMAR, SELECT_FIELDS, SELECT_NODES } from './read-grammar.js';
import { ReadRefusal } from './read-refusal.js';
import { isRowPerKey } from './row-per-key.js';
import {
  parse,
  pick,
  typeOf,
  type Node,
  type RangeVar,
  type RawStmt,
  type SelectStmt,
} from './syntax-tree.js';
import { ParameterUse } from './terms.js';
import { ZonedTimes } from './zoned-times.js';

type Fields = Readonly<Record<string, unknown>>;
/** The names of the common table expressions that can be read here. */
type Names = ReadonlySet<string>;

interface Context {
  readonly level: QueryLevel;
  readonly names: Names;
}

export function analyseRead(statements: readonly RawStmt[], catalogue: Catalogue): ReadAnalysis {
  const [only] = statements;
  if (statements.length > 1) return refuse('several-statements', 'the text has several statements');
  const select = pick(only?.stmt, 'SelectStmt');
  if (!only?.stmt || !select) return refuse('not-a-select', 'the statement is no SELECT');
  try {
    return new ReadAnalyser(only.stmt, catalogue).analyse(select);
  } catch (error) {
    if (error instanceof ReadRefusal) return refuse(error.reason, error.detail);
    throw error;
  }
}

function refuse(reason: ReadRefusal['reason'], detail: string): ReadAnalysis {
  return { cacheable: false, reason, detail };
}

class ReadAnalyser {
  readonly #rules: ExpressionRules;
  readonly #parameters: ParameterUse;
  readonly #equalities: EqualityReader;
  readonly #references: TableReference[] = [];
  /** The views whose definitions are being read, outermost first. */
  readonly #views: string[] = [];
  #hasReadViews = false;
  readonly #zonedTimes = new ZonedTimes();
  /** The tables whose policies have been read. */
  readonly #secured = new Set<TableFacts>();

  constructor(
    statement: Node,
    private readonly catalogue: Catalogue,
  ) {
    this.#rules = new ExpressionRules(catalogue);
    this.#parameters = new ParameterUse(statement);
    this.#equalities = new EqualityReader(this.#parameters);
    this.#zonedTimes.addTree(statement);
  }

  analyse(select: SelectStmt): ReadAnalysis {
    this.#rules.casts();
    this.#select(select, undefined, new Set());
    this.#zonedTimes.check();
    const tables = [...new Set(this.#references.map(({ table }) => table))].map((table) => ({
      table: table.id,
      confinements: confinementsOf(
        table,
        this.#references.filter((reference) => reference.table === table),
        this.#parameters,
      ),
    }));
    const [reference] = this.#references;
    const rowPerKey =
      this.#references.length === 1 &&
      !this.#hasReadViews &&
      // Children that inherit may have rows of the same key.
      (reference?.table.kind === 'partitioned' || reference?.table.relatives.length === 0) &&
      tables[0]?.confinements[0]?.dimension.name === reference?.table.primaryKey &&
      isRowPerKey(select);
    return { cacheable: true, tables, rowPerKey };
  }

  #select(select: SelectStmt, parent: QueryLevel | undefined, outer: Names): void {
    if (select.intoClause) throw new ReadRefusal('not-a-select', 'SELECT INTO makes a table');
    if (select.lockingClause) throw new ReadRefusal('locking-read', 'the statement locks rows');
    for (const field of Object.keys(select)) {
      if (!SELECT_FIELDS.has(field)) throw unknown(`SelectStmt.${field}`);
    }
    const names = this.#commonTables(select, parent, outer);
    for (const part of [select.larg, select.rarg]) if (part) this.#select(part, parent, names);

    const from = readFromClause(select.fromClause ?? [], this.#resolver(names));
    for (const { table } of itemsOf(from.root)) if (table) this.#table(table);
    const level = { parent, visible: from.visible };
    const references = this.#equalities.references(from.root, select.whereClause, from.visible);
    // A view has been read by its definition.
    this.#references.push(...references.filter(({ table }) => table.kind !== 'view'));
    const fields = select as Fields;
    for (const field of SELECT_NODES) this.#value(fields[field], { level, names });
  }

  #table(table: TableFacts): void {
    this.#zonedTimes.addTable(table);
    const family = this.catalogue.tables.filter(
      ({ id }) => id === table.id || table.relatives.includes(id),
    );
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

  /** A view is a subquery: its tables are read under its own conditions. */
  #view({ id, definition }: TableFacts): void {
    const [statement, ...others] = definition === undefined ? [] : parse(definition);
    const select = pick(statement?.stmt, 'SelectStmt');
    if (!select || others.length > 0) throw new ReadRefusal('view', `${id} has no query`);
    if (this.#views.includes(id)) throw new ReadRefusal('view', `${id} reads itself`);
    this.#hasReadViews = true;
    this.#views.push(id);
    this.#zonedTimes.addTree({ SelectStmt: select });
    this.#select(select, undefined, new Set());
    this.#views.pop();
  }

  /** The conditions that decide which rows a role sees may read tables of their own. */
  #policies(table: TableFacts): void {
    if (this.#secured.has(table)) return;
    this.#secured.add(table);
    const { schema: schemaname, name: relname } = table;
    const level = { parent: undefined, visible: [tableItem({ schemaname, relname }, table)] };
    for (const policy of table.policies) {
      try {
        const [statement] = parse(`SELECT ${policy}`);
        const targets = pick(statement?.stmt, 'SelectStmt')?.targetList;
        this.#zonedTimes.addCondition(targets);
        this.#value(targets, { level, names: new Set() });
      } catch (error) {
        if (!(error instanceof ReadRefusal)) throw error;
        throw new ReadRefusal('row-security', `a policy of ${table.id}: ${error.detail}`);
      }
    }
  }

  /** Reads the WITH clause and answers the names that hold in the rest of the statement. */
  #commonTables(select: SelectStmt, parent: QueryLevel | undefined, outer: Names): Names {
    const clause = select.withClause;
    if (!clause) return outer;
    const tables = (clause.ctes ?? []).map((node) => pick(node, 'CommonTableExpr') ?? {});
    const all = new Set([...outer, ...tables.map(({ ctename = '' }) => ctename)]);
    // Without RECURSIVE a name holds only after its own query.
    const before = new Set(outer);
    for (const table of tables) {
      const query = pick(table.ctequery, 'SelectStmt');
      if (!query) throw new ReadRefusal('not-a-select', 'a common table expression writes');
      // SEARCH names columns alone, as CYCLE does beside two constants.
      this.#select(query, parent, clause.recursive ? all : new Set(before));
      before.add(table.ctename ?? '');
    }
    return all;
  }

  #resolver(names: Names): TableResolver {
    return (range) => {
      const { schemaname: schema, relname: name = '' } = range;
      if (schema === undefined && names.has(name)) return undefined;
      const table = range.catalogname ? undefined : this.catalogue.table(schema, name);
      if (!table) throw unknownTable(range);
      return table;
    };
  }

  #value(value: unknown, context: Context): void {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) this.#value(item, context);
      return;
    }
    const node = value as Node;
    const type = typeOf(node);
    // A plain DISTINCT is a list of one node without a type.
    if (type === undefined) return;
    const select = pick(node, 'SelectStmt');
    if (select) this.#select(select, context.level, context.names);
    else this.#node(type, (value as Record<string, Fields>)[type] ?? {}, context);
  }

  #node(type: string, fields: Fields, context: Context): void {
    const grammar = READ_GRAMMAR.get(type);
    if (type === 'RangeTableSample') {
      throw new ReadRefusal('volatile-function', 'TABLESAMPLE takes other rows every time');
    }
    if (!grammar) throw unknown(type);
    if (type === 'TextType') this.#rules.textRead(fields);
    this.#check({ [type]: fields } as unknown as Node, context.level);
    for (const [field, value] of Object.entries(fields)) {
      const part = grammar.parts[field];
      if (grammar.nodes.includes(field)) this.#value(value, context);
      else if (part !== undefined) this.#node(part, value as Fields, context);
      else if (!grammar.plain.includes(field)) throw unknown(`${type}.${field}`);
    }
  }

  #check(node: Node, level: QueryLevel): void {
    const rules = this.#rules;
    const [call, expression, type] = [
      pick(node, 'FuncCall'),
      pick(node, 'A_Expr'),
      pick(node, 'TypeName'),
    ];
    const [column, constant] = [pick(node, 'ColumnRef'), pick(node, 'A_Const')];
    const path = pick(node, 'JsonFuncExpr')?.pathspec ?? pick(node, 'JsonTablePathSpec')?.string;
    const [cast, named] = [pick(node, 'TypeCast'), pick(node, 'SQLValueFunction')];
    if (cast) rules.conversion(cast, level);
    if (named) rules.named(named);
    if (call) rules.call(call, level);
    if (expression) rules.expression(expression);
    if (type) rules.cast(type);
    if (column) rules.column(column, level);
    if (constant) rules.constant(constant);
    if (path) rules.path(path);
    if (comparesUnsaid(node)) rules.equality();
    rules.operator(pick(node, 'SubLink')?.operName);
    rules.operator(pick(node, 'SortBy')?.useOp);
    for (const step of pick(node, 'A_Indirection')?.indirection ?? []) {
      const name = pick(step, 'String')?.sval;
      if (name !== undefined) rules.field(name);
    }
  }
}

/** Where an `=` is meant that the text does not have. */
function comparesUnsaid(node: Node): boolean {
  const join = pick(node, 'JoinExpr');
  const link = pick(node, 'SubLink');
  return (
    join?.isNatural === true ||
    join?.usingClause !== undefined ||
    pick(node, 'CaseExpr')?.arg !== undefined ||
    // IN (SELECT ...)
    (link?.testexpr !== undefined && link.operName === undefined)
  );
}

function unknownTable({ schemaname, relname }: RangeVar): ReadRefusal {
  if (schemaname?.startsWith('pg_temp')) {
    return new ReadRefusal('temporary-table', `${relname} belongs to one connection`);
  }
  const name = schemaname === undefined ? relname : `${schemaname}.${relname}`;
  return new ReadRefusal('unknown-table', `${name} is no table of the catalogue`);
}

function unknown(what: string): ReadRefusal {
  return new ReadRefusal('unparsable', `${what} is not understood`);
}
