/** Whether evaluating a statement's expressions can change a table. */
import type { Catalogue } from '../core/table-facts.js';
import { isHarmless } from './built-in-functions.js';
import {
  namesOf,
  pick,
  qualifiedName,
  visit,
  type Node,
  type QualifiedName,
  type RangeVar,
  type TypeName,
} from './syntax-tree.js';

/** The fields that hold an operator's name. */
const OPERATOR_FIELDS: ReadonlySet<string> = new Set(['operName', 'useOp']);

/**
 * Whether the tree calls nothing that can write. The rows that its statements write by themselves
 * are another question.
 *
 * @param believesStable whether a user's function that is marked STABLE is believed not to write.
 */
export function isWithoutHarm(
  tree: object,
  catalogue: Catalogue,
  believesStable: boolean,
): boolean {
  let harmless = true;
  visit(tree, (key, value) => {
    harmless &&= isPartHarmless(key, value, catalogue, believesStable);
  });
  return harmless;
}

/**
 * Whether that follows from definitions of users, which others may have changed since: of
 * functions, of views, and of what the catalogue does not know.
 */
export function restsOnSchema(tree: object, catalogue: Catalogue): boolean {
  const names = commonNames(tree);
  let rests = false;
  visit(tree, (key, value) => {
    const node = { [key]: value } as unknown as Node;
    const call = qualifiedName(pick(node, 'FuncCall')?.funcname);
    const range = pick(node, 'RangeVar');
    const type = key === 'typeName' ? typeNameOf(value) : undefined;
    rests ||= type !== undefined && !catalogue.isBuiltInType(type.schema, type.name);
    rests ||= key === 'FuncCall' && !catalogue.isBuiltIn(call.schema, call.name);
    rests ||= range !== undefined && !isPlainRelation(range, names, catalogue);
  });
  return rests;
}

function isPlainRelation(
  { schemaname, relname = '' }: RangeVar,
  names: ReadonlySet<string>,
  catalogue: Catalogue,
): boolean {
  if (schemaname === undefined && names.has(relname)) return true;
  if (catalogue.isSystemRelation(schemaname, relname)) return true;
  const kind = catalogue.table(schemaname, relname)?.kind;
  return kind === 'table' || kind === 'partitioned' || kind === 'materialized-view';
}

function isPartHarmless(
  key: string,
  value: object,
  catalogue: Catalogue,
  believesStable: boolean,
): boolean {
  const node = { [key]: value } as unknown as Node;
  const call = pick(node, 'FuncCall');
  if (call) return isHarmless(qualifiedName(call.funcname), catalogue, believesStable);
  const expression = pick(node, 'A_Expr');
  if (expression) return isOperatorHarmless(qualifiedName(expression.name), catalogue);
  if (OPERATOR_FIELDS.has(key))
    return isOperatorHarmless(qualifiedName(value as Node[]), catalogue);
  if (key === 'typeName') {
    const type = typeNameOf(value);
    return catalogue.isTypeHarmless(type.schema, type.name);
  }
  const range = pick(node, 'RangeVar') ?? (key === 'relation' ? value : undefined);
  if (range) return isRelationHarmless(range, catalogue);
  const column = pick(node, 'ColumnRef');
  const names = namesOf(column?.fields);
  if (column && names.length > 1) return isFieldHarmless(names.at(-1) ?? '', catalogue);
  const steps = pick(node, 'A_Indirection')?.indirection ?? [];
  return steps.every((step) => isFieldHarmless(pick(step, 'String')?.sval ?? '', catalogue));
}

/** The type of a cast, or of a column that is made of a value. */
function typeNameOf(value: object): QualifiedName {
  return qualifiedName((value as TypeName).names);
}

/** An operator the catalogue does not know is one of a type's own, in a schema not on the path. */
function isOperatorHarmless({ schema, name }: QualifiedName, catalogue: Catalogue): boolean {
  return catalogue.operatorVolatility(schema, name) !== 'volatile';
}

/** Reading a view runs what its definition calls, and any table what its policies call. */
function isRelationHarmless({ schemaname, relname }: RangeVar, catalogue: Catalogue): boolean {
  const table = catalogue.table(schemaname, relname ?? '');
  return !table?.sideEffects.has('read');
}

/** `row.name` may be a call of the function of that name. */
function isFieldHarmless(name: string, catalogue: Catalogue): boolean {
  return catalogue.writingVolatility(undefined, name) !== 'volatile';
}

/** The names of the statement's common table expressions. */
function commonNames(tree: object): ReadonlySet<string> {
  const names = new Set<string>();
  visit(tree, (key, value) => {
    if (key === 'CommonTableExpr' && 'ctename' in value) names.add(String(value.ctename));
  });
  return names;
}
