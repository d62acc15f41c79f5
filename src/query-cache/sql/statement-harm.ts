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
} from './syntax-tree.js';

/** Statements inside statements, under the names of their nodes and fields. */
const WRITING_PARTS: ReadonlySet<string> = new Set([
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'intoClause',
]);

/** The fields that hold an operator's name. */
const OPERATOR_FIELDS: ReadonlySet<string> = new Set(['operName', 'useOp']);

/**
 * Whether the tree holds no statement that writes and calls nothing that can. `tree` is what lies
 * inside a statement: its own node is not judged.
 */
export function isWithoutHarm(tree: object, catalogue: Catalogue): boolean {
  let harmless = true;
  visit(tree, (key, value) => {
    harmless &&= !WRITING_PARTS.has(key) && isPartHarmless(key, value, catalogue);
  });
  return harmless;
}

function isPartHarmless(key: string, value: object, catalogue: Catalogue): boolean {
  const node = { [key]: value } as unknown as Node;
  const call = pick(node, 'FuncCall');
  if (call) return isHarmless(qualifiedName(call.funcname), catalogue);
  const expression = pick(node, 'A_Expr');
  if (expression) return isOperatorHarmless(qualifiedName(expression.name), catalogue);
  if (OPERATOR_FIELDS.has(key))
    return isOperatorHarmless(qualifiedName(value as Node[]), catalogue);
  const range = pick(node, 'RangeVar') ?? (key === 'relation' ? value : undefined);
  if (range) return isRelationHarmless(range, catalogue);
  const column = pick(node, 'ColumnRef');
  const names = namesOf(column?.fields);
  if (column && names.length > 1) return isFieldHarmless(names.at(-1) ?? '', catalogue);
  const steps = pick(node, 'A_Indirection')?.indirection ?? [];
  return steps.every((step) => isFieldHarmless(pick(step, 'String')?.sval ?? '', catalogue));
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
  const isUserFunction =
    catalogue.functionVolatility(undefined, name) === 'volatile' &&
    !catalogue.isBuiltIn(undefined, name);
  return !isUserFunction;
}
