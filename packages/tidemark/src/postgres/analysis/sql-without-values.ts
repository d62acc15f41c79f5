import { normalizeSync } from 'libpg-query';
import { loadParser } from './syntax-tree.js';

const UNREADABLE =
  '(The parser of PostgreSQL does not take the text, so its values cannot be left out.)';
/** A quoted name, a comment of one line, or a comment that contains none. */
const NAME_OR_COMMENT = /"(?:[^"]|"")*"|--[^\n]*|\/\*(?:(?!\/\*|\*\/)[^])*\*\//g;

/** The text with `$n` in place of each literal, and without comments. */
export async function sqlWithoutValues(sql: string): Promise<string> {
  await loadParser();
  try {
    return withoutComments(normalizeSync(sql)).trim();
  } catch {
    return UNREADABLE;
  }
}

/** Comments contain comments: the innermost go first. Literals, which may look like comments, are gone. */
function withoutComments(sql: string): string {
  const shorter = sql.replace(NAME_OR_COMMENT, (found) => (found.startsWith('"') ? found : ''));
  return shorter === sql ? sql : withoutComments(shorter);
}
