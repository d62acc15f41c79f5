/** Statements after which names may mean something else over the same connection. */
import { pick, qualifiedName, visit, type Node } from './syntax-tree.js';

/** Settings that decide where unqualified names are looked up, and how texts are read. */
const NAMING_SETTINGS: ReadonlySet<string> = new Set([
  'search_path',
  'role',
  'session_authorization',
  'standard_conforming_strings',
]);

/** For statements of which all else is known: SET, RESET, DISCARD and calls of `set_config`. */
export function changesNames(statement: Node): boolean {
  const setting = pick(statement, 'VariableSetStmt');
  if (setting) {
    return (
      setting.kind === 'VAR_RESET_ALL' || NAMING_SETTINGS.has((setting.name ?? '').toLowerCase())
    );
  }
  if (pick(statement, 'DiscardStmt')) return true;
  let changes = false;
  visit(statement, (key, value) => {
    const call = pick({ [key]: value } as unknown as Node, 'FuncCall');
    changes ||= call !== undefined && qualifiedName(call.funcname).name === 'set_config';
  });
  return changes;
}
