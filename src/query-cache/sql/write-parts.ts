/**
 * All that one statement writes: itself, and the writing statements in its WITH clause. The answer
 * counts and returns the rows of the outermost one alone.
 */
import type { TableWrite } from '../core/statement-analysis.js';
import type { Catalogue } from '../core/table-facts.js';
import type { TableResolver } from './from-clause.js';
import { analyseMerge } from './merge-analysis.js';
import { pick, visit, type Node } from './syntax-tree.js';
import { ParameterUse } from './terms.js';
import { analyseCopyFrom, analyseRefresh, analyseTruncate } from './wide-writes.js';
import { analyseDelete, analyseInsert, analyseUpdate } from './write-analysis.js';
import type { WriteContext } from './write-context.js';

const WRITING_NODES: ReadonlySet<string> = new Set([
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
]);

export interface WritingText {
  readonly catalogue: Catalogue;
  /** The statement's place in the text. */
  readonly index: number;
}

/** None where it writes nothing; `undefined` where more may change than can be told. */
export function writesOf(
  statement: Node,
  { catalogue, index }: WritingText,
): readonly TableWrite[] | undefined {
  const parts = writingParts(statement);
  if (parts.length === 0) return [];
  const parameters = new ParameterUse(statement);
  const tableOf = tablesBeside(statement, catalogue);
  const analyse = (): readonly TableWrite[] | undefined => {
    const writes: TableWrite[] = [];
    for (const part of parts) {
      const isOutermost = part === statement;
      const found = analysePart(part, {
        catalogue,
        parameters,
        tableOf,
        countedBy: isOutermost ? index : undefined,
        answersRows: isOutermost,
      });
      if (!found) return undefined;
      writes.push(...found);
    }
    return writes;
  };
  // A parameter of several parts is certain in each only once it has been noted in all.
  if (parts.length > 1 || pick(statement, 'MergeStmt')) analyse();
  return analyse();
}

function writingParts(statement: Node): readonly Node[] {
  const isOther = (['TruncateStmt', 'RefreshMatViewStmt', 'CopyStmt'] as const).some((type) =>
    pick(statement, type),
  );
  const parts: Node[] = [];
  if (isOther && !pick(statement, 'CopyStmt')?.query) parts.push(statement);
  visit([statement], (key, value) => {
    if (!WRITING_NODES.has(key)) return;
    const isItself = (statement as unknown as Record<string, unknown>)[key] === value;
    parts.push(isItself ? statement : ({ [key]: value } as unknown as Node));
  });
  return parts;
}

function analysePart(part: Node, context: WriteContext): readonly TableWrite[] | undefined {
  const [insert, update] = [pick(part, 'InsertStmt'), pick(part, 'UpdateStmt')];
  const [deletion, merge] = [pick(part, 'DeleteStmt'), pick(part, 'MergeStmt')];
  const [truncate, copy] = [pick(part, 'TruncateStmt'), pick(part, 'CopyStmt')];
  const refresh = pick(part, 'RefreshMatViewStmt');
  if (insert) return analyseInsert(insert, context);
  if (update) return analyseUpdate(update, context);
  if (deletion) return analyseDelete(deletion, context);
  if (merge) return analyseMerge(merge, context);
  if (truncate) return analyseTruncate(truncate, context);
  if (copy) return copy.is_from ? analyseCopyFrom(copy, context) : [];
  return refresh && analyseRefresh(refresh, context);
}

/** A common table expression hides the table of its name, wherever in the statement it stands. */
function tablesBeside(statement: Node, catalogue: Catalogue): TableResolver {
  const names = commonNames(statement);
  return ({ catalogname, schemaname, relname = '' }) => {
    if (catalogname || (schemaname === undefined && names.has(relname))) return undefined;
    return catalogue.table(schemaname, relname);
  };
}

/** The names of the statement's common table expressions. */
export function commonNames(tree: object): ReadonlySet<string> {
  const names = new Set<string>();
  visit(tree, (key, value) => {
    if (key === 'CommonTableExpr' && 'ctename' in value) names.add(String(value.ctename));
  });
  return names;
}
