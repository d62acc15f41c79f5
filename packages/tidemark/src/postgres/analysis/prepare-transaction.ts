/**
 * Finds PREPARE TRANSACTION in a text that the parser may not read as the server does: another version wrote its syntax,
 * or the session reads string literals differently. It may find the words in a literal, and misses none.
 */

/** White space and comments to the end of the line. */
const BLANK = /\s*(?:--[^\n\r]*\s*)*/y;
const COMMENT_EDGE = /\/\*|\*\//g;
const TRANSACTION = /TRANSACTION\b/iy;

export function mayPrepareTransaction(sql: string): boolean {
  for (const { index } of sql.matchAll(/\bPREPARE\b/gi)) {
    TRANSACTION.lastIndex = afterGap(sql, index + 'PREPARE'.length);
    if (TRANSACTION.test(sql)) return true;
  }
  return false;
}

/** The position after the white space and the comments that begin at `from`. */
function afterGap(sql: string, from: number): number {
  let at = from;
  for (;;) {
    BLANK.lastIndex = at;
    BLANK.test(sql);
    at = BLANK.lastIndex;
    if (!sql.startsWith('/*', at)) return at;
    at = afterComment(sql, at);
  }
}

/** The position after the comment that begins at `from`: comments nest. */
function afterComment(sql: string, from: number): number {
  COMMENT_EDGE.lastIndex = from;
  let depth = 0;
  for (let edge = COMMENT_EDGE.exec(sql); edge; edge = COMMENT_EDGE.exec(sql)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return COMMENT_EDGE.lastIndex;
  }
  return sql.length;
}
