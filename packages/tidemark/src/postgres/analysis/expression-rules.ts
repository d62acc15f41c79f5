/** The nodes that a cacheable SELECT may contain, and their conditions. */
import type { UncacheableReason } from '../../core/statement-analysis.js';
import type { Catalog } from '../../core/table-facts.js';
import { isMeant, type RangeItem } from './from-clause.js';
import { isMomentName, namesMoment, natureOf } from './moments.js';
import {
  namesOf,
  pick,
  qualifiedName,
  words,
  type ColumnRef,
  type FuncCall,
  type Node,
  type QualifiedName,
  type TypeName,
} from './syntax-tree.js';

/** Aborts the analysis of an uncacheable statement; never leaves the analyser. */
export class ReadRefusal extends Error {
  override readonly name = 'ReadRefusal';

  constructor(
    readonly reason: UncacheableReason,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** One SELECT and its enclosing ones: the scope of its column names. */
export interface QueryLevel {
  readonly parent: QueryLevel | undefined;
  readonly visible: readonly RangeItem[];
}

/** Any other node is refused. */
const NODES = words(
  `A_ArrayExpr A_Const A_Expr A_Indices A_Indirection A_Star BoolExpr BooleanTest CaseExpr CaseWhen
   CoalesceExpr CollateClause ColumnDef ColumnRef FuncCall GroupingFunc GroupingSet Integer JoinExpr
   JsonArgument JsonArrayAgg JsonArrayConstructor JsonArrayQueryConstructor JsonBehavior
   JsonFuncExpr JsonIsPredicate JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonParseExpr
   JsonScalarExpr JsonTable JsonTableColumn JsonValueExpr List MinMaxExpr NamedArgExpr NullTest
   ParamRef RangeFunction RangeSubselect RangeTableFunc RangeTableFuncCol RangeVar ResTarget RowExpr
   SQLValueFunction SortBy String SubLink TypeCast WindowDef XmlExpr XmlSerialize`,
);

/**
 * They change without any write to the row: when it is locked, checked by a foreign key, or moved by VACUUM FULL.
 * `tableoid` does not.
 */
const SYSTEM_COLUMNS = words('ctid xmin xmax cmin cmax');

/** Types whose input and output depend only on the value and on settings in the key. */
const CAST_TYPES = words(
  `bool int2 int4 int8 float4 float8 numeric text varchar bpchar char name uuid json jsonb
   jsonpath bytea date time timestamp timestamptz interval inet cidr macaddr macaddr8
   regconfig bit varbit point line lseg box path polygon circle tsvector tsquery oid
   int4range int8range numrange tsrange tstzrange daterange`,
);

/**
 * PostgreSQL's `stable` promises the same answer within one statement: it includes the `now` family, and functions that
 * read the session, statistics or the catalog, or run SQL. Only the answers of these functions depend on nothing but
 * their arguments and the settings that are part of every key.
 */
const STABLE_AND_CACHEABLE = words(`
  array_to_json array_to_string concat concat_ws convert convert_from convert_to
  date date_add date_part date_subtract date_trunc extract format generate_series
  json_agg json_build_array json_build_object json_object_agg json_object_agg_strict
  json_object_agg_unique json_object_agg_unique_strict json_agg_strict
  json_to_record json_to_recordset json_to_tsvector
  jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object jsonb_object_agg
  jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict
  jsonb_to_record jsonb_to_recordset jsonb_to_tsvector length make_timestamptz numeric overlaps
  phraseto_tsquery plainto_tsquery quote_literal quote_nullable row_to_json time timestamp
  timestamptz timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery
  to_tsvector ts_headline websearch_to_tsquery
`);

/** `age(x)` counts from the current date, `age(x, y)` does not. */
const CACHEABLE_WITH_TWO_ARGUMENTS = 'age';

/** Functions without parentheses whose value is part of every key. */
const NAMED_IN_KEYS = words(
  'SVFOP_CURRENT_CATALOG SVFOP_CURRENT_ROLE SVFOP_CURRENT_USER SVFOP_SESSION_USER SVFOP_USER',
);

/** An SQL/JSON path that may read a text as a time of day with a zone; escapes may spell these names. */
const READS_TIME_OF_DAY = /\\|time_tz|datetime/i;

/** These mean `<=` and `>=`; the name of every other A_Expr is its operator. */
const BETWEEN_KINDS = words(
  'AEXPR_BETWEEN AEXPR_NOT_BETWEEN AEXPR_BETWEEN_SYM AEXPR_NOT_BETWEEN_SYM',
);
const unqualified = (name: string): QualifiedName => ({ schema: undefined, name });
const EQUALS = unqualified('=');
const AT_ENDS = [unqualified('<='), unqualified('>=')];

/** Each method throws a ReadRefusal for an uncacheable part. */
export class ExpressionRules {
  /** Any expression may use a user's cast without naming it. */
  constructor(private readonly catalog: Catalog) {
    const { unsureCast } = catalog;
    if (unsureCast === undefined) return;
    throw volatile(`the cast ${unsureCast} is made by a function that is not immutable`);
  }

  /**
   * Checks one value of a tree without its children. Capitalised keys are node types, others are fields.
   *
   * @param holder the fields that contain the value.
   */
  check(key: string, value: object, holder: object, level: QueryLevel): void {
    if (/^[A-Z]/.test(key)) this.#node(key, { [key]: value } as unknown as Node, level);
    if (key === 'typeName') {
      // A cast has an argument; columns of functions, JSON and XML are parsed from texts.
      const isCast = 'arg' in holder;
      const ofText = !isCast || natureOf(holder.arg as Node, level.visible) === 'text';
      this.#cast(value, ofText);
    }
    if (key === 'pathspec') {
      const path = 'string' in value ? value.string : value;
      const text = pick(path as Node, 'A_Const')?.sval?.sval;
      if (text === undefined || READS_TIME_OF_DAY.test(text)) throw volatile(PRESENT_OFFSET);
    }
  }

  #node(type: string, node: Node, level: QueryLevel): void {
    if (type === 'RangeTableSample') throw volatile('TABLESAMPLE takes other rows every time');
    if (!NODES.has(type)) throw new ReadRefusal('unparsable', `${type} is not understood`);
    if ('FuncCall' in node) this.#call(node.FuncCall, level);
    else if ('A_Expr' in node) {
      const { kind = '', name } = node.A_Expr;
      const isRange = BETWEEN_KINDS.has(kind);
      for (const operator of isRange ? AT_ENDS : [qualifiedName(name)]) this.#operator(operator);
    } else if ('ColumnRef' in node) this.#column(node.ColumnRef, level);
    else if ('SubLink' in node) {
      const { operName, testexpr } = node.SubLink;
      // IN (SELECT ...) implies an `=` that the text does not contain, and so do the next two.
      if (operName || testexpr) this.#operator(operName ? qualifiedName(operName) : EQUALS);
    } else if ('JoinExpr' in node) {
      if (node.JoinExpr.isNatural || node.JoinExpr.usingClause) this.#operator(EQUALS);
    } else if ('CaseExpr' in node) {
      if (node.CaseExpr.arg) this.#operator(EQUALS);
    } else if ('SortBy' in node) {
      if (node.SortBy.useOp) this.#operator(qualifiedName(node.SortBy.useOp));
    } else if ('A_Const' in node) {
      if (namesMoment(node.A_Const.sval?.sval)) {
        throw volatile('a constant that may name a moment, such as now');
      }
    } else if ('SQLValueFunction' in node) {
      if (NAMED_IN_KEYS.has(node.SQLValueFunction.op ?? '')) return;
      throw volatile('a function of the clock or session, such as current_date');
    } else if ('A_Indirection' in node) {
      for (const step of node.A_Indirection.indirection ?? []) {
        const name = pick(step, 'String')?.sval;
        if (name !== undefined) this.#field(name);
      }
    }
  }

  #cast(type: TypeName, ofText: boolean): void {
    const { schema, name } = qualifiedName(type.names);
    if ((schema === undefined || schema === 'pg_catalog') && CAST_TYPES.has(name)) {
      if (ofText && isMomentName(name)) throw textAsMoment();
      return;
    }
    if (name === 'timetz') throw volatile(PRESENT_OFFSET);
    // A label is resolved in the schema, on whose version every answer depends.
    if (this.catalog.isEnum(schema, name)) return;
    throw new ReadRefusal('unknown-function', `cast to type ${name}`);
  }

  #call({ funcname, args = [] }: FuncCall, { visible }: QueryLevel): void {
    const called = qualifiedName(funcname);
    const { name } = called;
    this.#function(called, args.length);
    // `date(text)` is `text::date`, and a range may be built from one text.
    const ofText = isMomentName(name) && args.some((arg) => natureOf(arg, visible) === 'text');
    if (ofText) throw textAsMoment();
    // AT TIME ZONE
    if (
      name === 'timezone' &&
      !['constant', 'timestamp'].includes(natureOf(args.at(-1), visible))
    ) {
      throw volatile(`${PRESENT_OFFSET}: cast it to a timestamp`);
    }
  }

  /** `row.name` calls the function of that name if the row has no such column. */
  #column({ fields = [] }: ColumnRef, level: QueryLevel): void {
    const names = namesOf(fields);
    const column = names.at(-1) ?? '';
    if (SYSTEM_COLUMNS.has(column)) throw volatile(`system column ${column}`);
    const isStar = !pick(fields.at(-1), 'String');
    if (names.length === 1 || isStar) return;
    const items = itemsMeant(names, level);
    const isColumn = items.every(
      ({ columns, isCall }) => columns?.has(column) ?? (!isCall && this.#takesNoRow(column)),
    );
    if (items.length === 0 || !isColumn) this.#field(column);
  }

  /** A field of a row of unknown type: a column, or a call of the function of that name. */
  #field(name: string): void {
    if (SYSTEM_COLUMNS.has(name)) throw volatile(`system column ${name}`);
    if (isMomentName(name)) throw textAsMoment();
    const isFunction = this.catalog.functionVolatility(undefined, name) !== undefined;
    if (isFunction) this.#function(unqualified(name), 1);
  }

  /**
   * Whether no function of that name matters for the row: a built-in function that takes any row depends on the row
   * alone, unless its name begins with `pg_`.
   */
  #takesNoRow(name: string): boolean {
    const isFunction = this.catalog.functionVolatility(undefined, name) !== undefined;
    return !isFunction || (this.catalog.isBuiltIn(undefined, name) && !name.startsWith('pg_'));
  }

  #function({ schema, name }: QualifiedName, argumentCount: number): void {
    const refuse = (why: string): ReadRefusal => volatile(`function ${name}: ${why}`);
    const volatility = this.catalog.functionVolatility(schema, name);
    if (volatility === undefined) {
      throw new ReadRefusal('unknown-function', `function ${name} is not in the catalog`);
    }
    if (volatility === 'immutable') return;
    if (!this.catalog.isBuiltIn(schema, name)) throw refuse('it may read any table');
    if (volatility === 'volatile') throw refuse('it may answer differently every time');
    if (STABLE_AND_CACHEABLE.has(name)) return;
    if (name === CACHEABLE_WITH_TWO_ARGUMENTS && argumentCount === 2) return;
    throw refuse('its answer may depend on the clock, the session or the transaction');
  }

  #operator({ schema, name }: QualifiedName): void {
    const volatility = this.catalog.operatorVolatility(schema, name);
    if (volatility === undefined) {
      throw new ReadRefusal('unknown-function', `operator ${name} is not in the catalog`);
    }
    if (volatility !== 'immutable') throw volatile(`operator ${name} is not immutable`);
  }
}

/** The items that the column's qualifier refers to, at the innermost level that knows it. */
function itemsMeant(names: readonly string[], start: QueryLevel): readonly RangeItem[] {
  const [, qualifier = '', schema] = names.toReversed();
  for (let level: QueryLevel | undefined = start; level; level = level.parent) {
    const meant = level.visible.filter((item) => isMeant(item, qualifier, schema));
    if (meant.length > 0) return meant;
  }
  return [];
}

export const PRESENT_OFFSET = 'a time of day gets the present offset of its time zone';

function textAsMoment(): ReadRefusal {
  return volatile('a text read as a date may name a moment, such as now');
}

function volatile(detail: string): ReadRefusal {
  return new ReadRefusal('volatile-function', detail);
}
