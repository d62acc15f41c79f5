/** Analyses of SQL texts under one catalog, cached by text. */
import { LRUCache } from 'lru-cache';
import type { WriteStatement } from '../../core/ports/cache-events.js';
import type { ReadAnalysis, StatementAnalysis } from '../../core/statement-analysis.js';
import type { Catalog } from '../../core/table-facts.js';
import { analyseRead, whyWhole } from './read-analysis.js';
import { classifyStatements, UNPARSABLE } from './statement-classifier.js';
import { titleOf } from './statement-title.js';
import {
  fingerprintOf,
  isParserError,
  loadParser,
  parse,
  pick,
  type RawStmt,
} from './syntax-tree.js';

const MAX_TEXTS = 5_000;
/** Limit for all cached texts together, in UTF-16 units. */
const MAX_TOGETHER = 16_000_000;
/** A longer text is rarely sent twice: it usually contains a list of values. */
const MAX_TEXT = 100_000;

const UNREADABLE: ReadAnalysis = {
  cacheable: false,
  reason: 'unparsable',
  detail: 'the parser of PostgreSQL does not take the text',
};

interface Remembered {
  isSelect?: boolean;
  read?: ReadAnalysis;
  statement?: StatementAnalysis;
  write?: WriteStatement;
}

/** `loadParser` must run before the first use. No method throws for any SQL. */
export class SqlAnalyser {
  readonly #remembered: LRUCache<string, Remembered>;

  /** @param maxTexts maximum number of cached texts. */
  constructor(
    private readonly catalog: Catalog,
    maxTexts = MAX_TEXTS,
  ) {
    this.#remembered = new LRUCache({
      max: maxTexts,
      maxSize: MAX_TOGETHER,
      maxEntrySize: MAX_TEXT,
      sizeCalculation: (_, sql) => sql.length + 1,
    });
  }

  /** Whether the text is one SELECT or VALUES. The server decides about a text that the parser rejects: true. */
  isSelect(sql: string): boolean {
    return (this.#entry(sql).isSelect ??= analysed(sql, this.catalog, isSelect) ?? true);
  }

  /** Whether the answer of the text is cacheable, and which tables it depends on. */
  read(sql: string): ReadAnalysis {
    return (this.#entry(sql).read ??= analysed(sql, this.catalog, analyseRead) ?? UNREADABLE);
  }

  /** The possible effects of sending the text. */
  statement(sql: string): StatementAnalysis {
    const known = this.#entry(sql);
    return (known.statement ??= analysed(sql, this.catalog, classifyStatements) ?? UNPARSABLE);
  }

  /** The text of a write, as events have it: without literals. */
  write(sql: string): WriteStatement {
    const known = this.#entry(sql);
    return (known.write ??= {
      title: analysed(sql, this.catalog, titleOf) ?? 'unknown',
      fingerprint: fingerprintOf(sql),
    });
  }

  /** Why the text reads tables without a restriction, by table. The result is not cached. */
  whyWhole(sql: string): ReadonlyMap<string, string> {
    return analysed(sql, this.catalog, whyWhole) ?? new Map<string, string>();
  }

  #entry(sql: string): Remembered {
    let entry = this.#remembered.get(sql);
    if (!entry) this.#remembered.set(sql, (entry = {}));
    return entry;
  }
}

/** Whether the text is one SELECT, without a catalog; `true` for what the parser rejects: the server has the error. */
export async function isOneSelect(sql: string): Promise<boolean> {
  await loadParser();
  try {
    return sql !== '' && isSelect(parse(sql));
  } catch (error) {
    if (error instanceof RangeError || isParserError(error)) return true;
    throw error;
  }
}

function isSelect([first, ...others]: readonly RawStmt[]): boolean {
  return others.length === 0 && pick(first?.stmt, 'SelectStmt') !== undefined;
}

/** `undefined` if the parser rejects the text, or if the text is nested too deeply to be read. */
function analysed<T>(
  sql: string,
  catalog: Catalog,
  analyse: (statements: readonly RawStmt[], catalog: Catalog) => T,
): T | undefined {
  try {
    // The parser rejects an empty text, the server does not.
    return analyse(sql === '' ? [] : parse(sql), catalog);
  } catch (error) {
    if (error instanceof RangeError || isParserError(error)) return undefined;
    throw error;
  }
}
