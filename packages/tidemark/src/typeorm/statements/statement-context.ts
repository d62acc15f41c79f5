/** One statement between `beforeQuery` and the end of `afterQuery`, and its analysis over its connection. */
import type { QueryRunner } from 'typeorm';
import { sqlStateOf } from '../../postgres/sql-state.js';
import type { SessionNames } from '../../postgres/catalog/session-names.js';
import type { CatalogCache } from '../database/catalog-cache.js';
import type { SqlAnalyser } from '../../postgres/analysis/sql-analyser.js';
import { ANY_WRITE } from '../../postgres/analysis/statement-classifier.js';
import { nameableWrite } from '../../postgres/analysis/nameable-write.js';
import type { Catalog } from '../../core/table-facts.js';
import type { StatementAnalysis } from '../../core/statement-analysis.js';
import type { PublishedWrite } from '../../core/write-protocol.js';
import type { NameableStatement } from '../../core/write-set.js';

/** The preparation of a statement before it was sent, to be ended after its answer. */
export type StatementState =
  /** None: it reads, or belongs to an open transaction. */
  | 'unprepared'
  /** An implicit transaction was opened for it (transactions.ts). */
  | 'implicit-transaction'
  /** It is COMMIT, and the write set of its transaction is published. */
  | 'published-commit'
  /** It is an autonomous statement, published as a write to all tables (autonomous-statement.ts). */
  | 'autonomous';

/** `aside`: another subscriber holds it up or has refused it, so later statements do not wait for it. */
type StatementPhase = 'waiting' | 'ready' | 'aside' | 'answered';

/** The end of a statement, as TypeORM passes it to subscribers. */
export interface StatementAnswer {
  readonly success: boolean;
  readonly rawResults?: unknown;
  readonly error?: unknown;
}

/** The server allows it only before any query of the transaction, and so before any query of ours. */
const SETS_TRANSACTION = /^\s*SET\s+TRANSACTION\b[^;\\]*$/i;

/** The part of a session that the analysis of its statements needs. */
interface ClassifyingSession {
  readonly parts: { readonly schema: CatalogCache };
  namesUnder(catalog: Catalog): Promise<SessionNames | undefined>;
}

export class StatementContext {
  phase: StatementPhase = 'waiting';
  state: StatementState = 'unprepared';
  /** The mark of a published commit or of an autonomous statement, if there is one. */
  publishedWrite: PublishedWrite | undefined;
  analysis: StatementAnalysis | undefined;
  /** The catalog in use when it was sent. */
  catalog: Catalog | undefined;
  /** The same catalog under the names of the connection: the analysis uses it. */
  sessionCatalog: Catalog | undefined;
  /** The tables whose triggers sent notices while it ran. */
  readonly noticed = new Set<string>();
  /** Under the names of the connection; `undefined`: the parser may not read the text as the server does. */
  #analyser: SqlAnalyser | undefined;

  /** @param origin the name of the work that sends it. */
  constructor(
    readonly runner: QueryRunner,
    readonly sql: string,
    readonly parameters: unknown,
    readonly origin?: string,
  ) {}

  /** For events, once it is classified. Does not hold its parameters. */
  get nameable(): NameableStatement {
    return nameableWrite(this.sql, this.analysis, this.#analyser);
  }

  /** Analyses the text with the names as they resolve over the connection. */
  async classify(session: ClassifyingSession): Promise<void> {
    const { sql } = this;
    const { schema } = session.parts;
    // One catalog throughout, even if another is loaded meanwhile.
    const usual = schema.catalogFor(undefined);
    this.catalog = usual.catalog;
    this.sessionCatalog = usual.catalog;
    this.#analyser = usual.analyser;
    this.analysis = usual.analyser.statement(sql);
    // A backslash can hide the end of a string literal, and with it another statement.
    if (this.analysis.kind === 'transaction' && !sql.includes('\\')) return;
    if (SETS_TRANSACTION.test(sql)) return;
    const names = await session.namesUnder(usual.catalog);
    if (names && !names.isStandard && sql.includes('\\')) {
      this.analysis = { kind: 'unknown', transactional: false, changesSchema: true };
      this.#analyser = undefined;
      return;
    }
    const { analyser, catalog } = names ? schema.catalogFor(names) : usual;
    const analysis = analyser.statement(sql);
    this.sessionCatalog = catalog;
    this.#analyser = analyser;
    this.analysis = analysis;
    if (analysis.kind === 'read' && analysis.restsOnSchema && !(await schema.isCurrent())) {
      this.analysis = ANY_WRITE;
    }
  }

  /** Whether it may commit by itself and so must run between `begin` and `end`. */
  get commitsByItself(): boolean {
    const { analysis } = this;
    if (analysis?.kind === 'transaction') return analysis.command === 'other';
    return analysis?.kind === 'unknown' && !analysis.transactional;
  }

  /** Whether names may resolve differently over its connection after it has run. */
  get mayChangeNames(): boolean {
    const { analysis } = this;
    if (!analysis || analysis.kind === 'transaction') return false;
    return analysis.kind === 'unknown' || analysis.changesNames;
  }
}

/** Whether the server has reported the end of the statement. */
export function isAnswered({ success = false, error }: Partial<StatementAnswer>): boolean {
  return success || sqlStateOf(error) !== undefined;
}
