/** What single nodes of a SELECT must satisfy for its answer to be cached. */
import type { Catalogue } from '../core/table-facts.js';
import { refusalOf } from './built-in-functions.js';
import { isMeant, type RangeItem } from './from-clause.js';
import {
  isMomentName,
  isMomentType,
  mayBeStoredText,
  movesTimeOfDay,
  readsTextAsMoment,
} from './moment-casts.js';
import { namesMoment } from './moment-words.js';
import { ReadRefusal } from './read-refusal.js';
import {
  namesOf,
  pick,
  qualifiedName,
  type A_Const,
  type A_Expr,
  type ColumnRef,
  type FuncCall,
  type Node,
  type SQLValueFunction,
  type TypeCast,
  type TypeName,
} from './syntax-tree.js';
import { zonedTime } from './zoned-times.js';

/** One SELECT and those around it: what its column names can mean. */
export interface QueryLevel {
  readonly parent: QueryLevel | undefined;
  readonly visible: readonly RangeItem[];
}

/**
 * Change without any write to the row: when it is locked, checked by a foreign key, or moved by
 * VACUUM FULL. `tableoid` is not among them.
 */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax']);

/** Types whose input and output follow from the value and the settings in the key. */
const CAST_TYPES: ReadonlySet<string> = new Set(
  (
    'bool int2 int4 int8 float4 float8 numeric text varchar bpchar char name uuid json jsonb ' +
    'jsonpath bytea date time timetz timestamp timestamptz interval inet cidr macaddr macaddr8 ' +
    'regconfig bit varbit point line lseg box path polygon circle tsvector tsquery oid ' +
    'int4range int8range numrange tsrange tstzrange daterange'
  ).split(' '),
);

/** Functions without parentheses whose answer is part of every key. */
const NAMED_IN_KEYS: ReadonlySet<string> = new Set([
  'SVFOP_CURRENT_CATALOG',
  'SVFOP_CURRENT_ROLE',
  'SVFOP_CURRENT_USER',
  'SVFOP_SESSION_USER',
  'SVFOP_USER',
]);

/** Methods of a path whose values may be times of day with a zone. */
const READS_TIME_OF_DAY = /time_tz|datetime/i;

/** Kinds of A_Expr whose name is an operator; BETWEEN and its like stand for `<=` and `>=`. */
const BETWEEN_KINDS: ReadonlySet<string> = new Set([
  'AEXPR_BETWEEN',
  'AEXPR_NOT_BETWEEN',
  'AEXPR_BETWEEN_SYM',
  'AEXPR_NOT_BETWEEN_SYM',
]);

/** Each method throws a ReadRefusal for what cannot be cached. */
export class ExpressionRules {
  constructor(private readonly catalogue: Catalogue) {}

  /** Any expression may use such a cast without naming it. */
  casts(): void {
    const { unsureCast } = this.catalogue;
    if (unsureCast === undefined) return;
    const detail = `the cast ${unsureCast} is made by a function that is not immutable`;
    throw new ReadRefusal('volatile-function', detail);
  }

  call(call: FuncCall, level: QueryLevel): void {
    this.#function(namesOf(call.funcname), call.args?.length ?? 0);
    if (readsTextAsMoment(call, level.visible)) throw textAsMoment();
    if (movesTimeOfDay(call, level.visible)) throw zonedTime(': cast it to a timestamp');
  }

  /** An `=` that the text does not have. */
  equality(): void {
    this.#operator(undefined, '=');
  }

  expression(expression: A_Expr): void {
    if (BETWEEN_KINDS.has(expression.kind ?? '')) {
      for (const name of ['<=', '>=']) this.#operator(undefined, name);
    } else this.operator(expression.name);
  }

  operator(operator: readonly Node[] | undefined): void {
    if (!operator) return;
    const { schema, name } = qualifiedName(operator);
    this.#operator(schema, name);
  }

  cast(type: TypeName): void {
    const { schema, name } = qualifiedName(type.names);
    const isKnown = (schema === undefined || schema === 'pg_catalog') && CAST_TYPES.has(name);
    // A label is found in the schema, on whose version every answer depends.
    if (!isKnown && this.catalogue.isEnum(schema, name)) return;
    if (!isKnown) throw new ReadRefusal('unknown-function', `cast to type ${name}`);
    if (name === 'timetz') throw zonedTime();
  }

  /** `text::date`, where the text may be a word such as `today`. */
  conversion({ arg, typeName }: TypeCast, level: QueryLevel): void {
    if (isMomentType(typeName) && mayBeStoredText(arg, level.visible)) throw textAsMoment();
  }

  /** A type that a function or a document's part is read as, whatever text is there. */
  textRead(type: TypeName): void {
    this.cast(type);
    if (isMomentType(type)) throw textAsMoment();
  }

  /** A path of SQL/JSON, which may read a text as a time of day. */
  path(path: Node | undefined): void {
    const text = pick(path, 'A_Const')?.sval?.sval;
    if (text === undefined || READS_TIME_OF_DAY.test(text)) throw zonedTime();
  }

  named({ op }: SQLValueFunction): void {
    if (NAMED_IN_KEYS.has(op ?? '')) return;
    throw new ReadRefusal(
      'volatile-function',
      'a function of the clock or session, such as current_date',
    );
  }

  constant({ sval }: A_Const): void {
    if (namesMoment(sval?.sval)) {
      throw new ReadRefusal('volatile-function', 'a constant that may name a moment, such as now');
    }
  }

  /** `row.name` calls the function of that name where the row has no such column. */
  column(reference: ColumnRef, level: QueryLevel): void {
    const fields = reference.fields ?? [];
    const names = namesOf(fields);
    const column = names.at(-1) ?? '';
    if (SYSTEM_COLUMNS.has(column)) {
      throw new ReadRefusal('volatile-function', `system column ${column}`);
    }
    const last = fields.at(-1);
    if (names.length === 1 || (last && !pick(last, 'String'))) return;
    if (isColumn(names, level)) return;
    if (!mayBeCall(names, level) && this.#takesNoRow(column)) return;
    this.field(column);
  }

  /** A field of a row of unknown type: a column, or a function of that name. */
  field(name: string): void {
    if (isMomentName(name)) throw textAsMoment();
    if (this.catalogue.functionVolatility(undefined, name) !== undefined) this.#function([name], 1);
  }

  /** PostgreSQL's own that take rows of any kind answer from these alone, or begin with `pg_`. */
  #takesNoRow(name: string): boolean {
    return this.catalogue.isBuiltIn(undefined, name) && !name.startsWith('pg_');
  }

  #function(names: readonly string[], argumentCount: number): void {
    const name = { schema: names.at(-2), name: names.at(-1) ?? '' };
    const refusal = refusalOf(name, argumentCount, this.catalogue);
    if (refusal) throw new ReadRefusal(refusal.reason, refusal.detail);
  }

  #operator(schema: string | undefined, name: string): void {
    const volatility = this.catalogue.operatorVolatility(schema, name);
    if (volatility === undefined) {
      throw new ReadRefusal('unknown-function', `operator ${name} is not in the catalogue`);
    }
    if (volatility !== 'immutable') {
      throw new ReadRefusal('volatile-function', `operator ${name} is not immutable`);
    }
  }
}

/** Whether what the column is asked of may be the rows of a function, each of them one value. */
function mayBeCall(names: readonly string[], start: QueryLevel): boolean {
  const [, qualifier = '', schema] = names.toReversed();
  for (let level: QueryLevel | undefined = start; level; level = level.parent) {
    const meant = level.visible.filter((item) => isMeant(item, qualifier, schema));
    if (meant.length > 0) return meant.some(({ isCall }) => isCall !== false);
  }
  return true;
}

function textAsMoment(): ReadRefusal {
  const detail = 'a text read as a date may name a moment, such as now';
  return new ReadRefusal('volatile-function', detail);
}

/** Whether the innermost item of that name is a table that has the column. */
function isColumn(names: readonly string[], start: QueryLevel): boolean {
  const [column = '', qualifier = '', schema] = names.toReversed();
  for (let level: QueryLevel | undefined = start; level; level = level.parent) {
    const meant = level.visible.filter((item) => isMeant(item, qualifier, schema));
    if (meant.length > 0) return meant.every(({ columns }) => columns?.has(column));
  }
  return false;
}
