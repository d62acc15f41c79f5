/** SQL in parts for display. The analysis of statements is elsewhere: a wrong guess here changes a colour only. */

export interface SqlPart {
  readonly kind: 'keyword' | 'name' | 'literal' | 'plain';
  readonly text: string;
}

const KEYWORDS =
  'select|distinct|from|where|group by|order by|having|limit|offset|left join|inner join|join|on|as|and|or|not|in|is|' +
  'null|any|asc|desc|with|union all|union|exists|case|when|then|else|end|between|like|ilike|count|using';
const PARTS = new RegExp(
  String.raw`("(?:[^"]|"")*")|('(?:[^']|'')*'|\$\d+|\b\d+(?:\.\d+)?\b)|\b(${KEYWORDS})\b`,
  'gi',
);

/** Clauses that begin a line. */
const CLAUSES =
  /^(from|where|group by|order by|having|limit|left join|inner join|join|union all|union)$/i;

export function sqlParts(sql: string): readonly SqlPart[] {
  const parts: SqlPart[] = [];
  let end = 0;
  for (const match of sql.matchAll(PARTS)) {
    const [text, name, literal, keyword] = match;
    const isClause = keyword !== undefined && CLAUSES.test(keyword);
    const between = sql.slice(end, match.index);
    if (between !== '') {
      parts.push({ kind: 'plain', text: isClause ? between.replace(/\s+$/, '\n') : between });
    }
    const kind = name === undefined ? (literal === undefined ? 'keyword' : 'literal') : 'name';
    parts.push({ kind, text });
    end = match.index + text.length;
  }
  if (end < sql.length) parts.push({ kind: 'plain', text: sql.slice(end) });
  return parts;
}
