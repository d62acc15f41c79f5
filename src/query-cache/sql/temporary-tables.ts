/** Statements that make or drop temporary tables and nothing else. */
import type { Catalogue } from '../core/table-facts.js';
import { isTemporary } from './session-names.js';
import { pick, qualifiedName, type Node, type RangeVar } from './syntax-tree.js';

export function isOfTemporaryTables(statement: Node, catalogue: Catalogue): boolean {
  const made =
    pick(statement, 'CreateStmt')?.relation ?? pick(statement, 'CreateTableAsStmt')?.into?.rel;
  if (made) return isMadeTemporary(made);
  const drop = pick(statement, 'DropStmt');
  const objects = drop?.removeType === 'OBJECT_TABLE' ? (drop.objects ?? []) : [];
  return objects.length > 0 && objects.every((object) => isTemporaryTable(object, catalogue));
}

function isMadeTemporary({ relpersistence, schemaname }: RangeVar): boolean {
  return relpersistence === 't' || schemaname === 'pg_temp';
}

function isTemporaryTable(object: Node, catalogue: Catalogue): boolean {
  const { schema, name } = qualifiedName(pick(object, 'List')?.items);
  const table = catalogue.table(schema, name);
  return table !== undefined && isTemporary(table);
}
