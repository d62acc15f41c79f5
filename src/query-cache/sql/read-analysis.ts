/** Which tables a SELECT reads, what confines it in each, or why its answer is not cacheable. */
import type { ReadAnalysis } from '../core/statement-analysis.js';
import type { Catalogue, TableFacts } from '../core/table-facts.js';
import { confinementsOf, EqualityReader, type TableReference } from './confinement.js';
import { ExpressionRules, type QueryLevel } from './expression-rules.js';
import { itemsOf, readFromClause, type TableResolver } from './from-clause.js';
import { READ_GRAMMAR, SELECT_FIELDS, SELECT_NODES } from './read-grammar.js';
import { ReadRefusal } from './read-refusal.js';
import { isRowPerKey } from './row-per-key.js';
import {
  pick,
  typeOf,
  type Node,
  type RangeVar,
  type RawStmt,
  type SelectStmt,
} from './syntax-tree.js';
import { ParameterUse } from './terms.js';

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

  constructor(
    statement: Node,
    private readonly catalogue: Catalogue,
  ) {
    this.#rules = new ExpressionRules(catalogue);
    this.#parameters = new ParameterUse(statement);
    this.#equalities = new EqualityReader(this.#parameters);
  }

  analyse(select: SelectStmt): ReadAnalysis {
    this.#select(select, undefined, new Set());
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
    for (const item of itemsOf(from.root)) if (item.table) requireCacheable(item.table);
    const level = { parent, visible: from.visible };
    this.#references.push(
      ...this.#equalities.references(from.root, select.whereClause, from.visible),
    );
    const fields = select as Fields;
    for (const field of SELECT_NODES) this.#value(fields[field], { level, names });
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
      if (table.search_clause ?? table.cycle_clause) throw unknown('SEARCH or CYCLE');
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
    if (type === 'SQLValueFunction') {
      throw new ReadRefusal(
        'volatile-function',
        'a function of the clock or session, such as current_date',
      );
    }
    if (!grammar) throw unknown(type);
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
    if (call) rules.call(call);
    if (expression) rules.expression(expression);
    if (type) rules.cast(type);
    if (column) rules.column(column, level);
    if (constant) rules.constant(constant);
    rules.operator(pick(node, 'SubLink')?.operName);
    rules.operator(pick(node, 'SortBy')?.useOp);
    for (const step of pick(node, 'A_Indirection')?.indirection ?? []) {
      const name = pick(step, 'String')?.sval;
      if (name !== undefined) rules.field(name);
    }
  }
}

function requireCacheable(table: TableFacts): void {
  const { id, kind } = table;
  if (kind === 'view' || kind === 'materialized-view' || kind === 'foreign') {
    throw new ReadRefusal('view', `${id} is a ${kind.replace('-', ' ')}, no table`);
  }
  if (table.hasRowSecurity) throw new ReadRefusal('row-security', `${id} has row security`);
  if (table.isInherited || kind === 'partitioned') {
    throw new ReadRefusal('unknown-table', `${id} is partitioned or inherits`);
  }
}

function unknownTable({ schemaname, relname }: RangeVar): ReadRefusal {
  const name = schemaname === undefined ? relname : `${schemaname}.${relname}`;
  return new ReadRefusal('unknown-table', `${name} is no table of the catalogue`);
}

function unknown(what: string): ReadRefusal {
  return new ReadRefusal('unparsable', `${what} is not understood`);
}
