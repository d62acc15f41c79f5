/** One statement between `beforeQuery` and the end of `afterQuery`, and its analysis over its connection. */
import type { QueryRunner } from 'typeorm';
import { sqlStateOf } from '../../postgres/sql-state.js';
import type { SessionNames } from '../../postgres/catalog/session-names.js';
import type { CatalogCache } from '../database/catalog-cache.js';
import { ANY_WRITE } from '../../postgres/analysis/statement-classifier.js';
import type { Catalog } from '../../core/table-facts.js';
import type { StatementAnalysis } from '../../core/statement-analysis.js';
import type { PublishedWrite } from '../../core/write-protocol.js';

/** What was done for a statement before it was sent, and has to be ended once it is answered. */
export type StatementState =
  /** Nothing: it reads, or belongs to an open transaction. */
  | 'unprepared'
  /** A transaction was opened for it alone (transactions.ts). */
  | 'implicit-transaction'
  /** It is COMMIT, and what it commits is published. */
  | 'published-commit'
  /** It commits by itself, and everything is published (autonomous-statement.ts). */
  | 'autonomous';

/** `aside`: another subscriber holds it up or has refused it, so the later ones do not wait for it. */
type StatementPhase = 'waiting' | 'ready' | 'aside' | 'answered';

/** How a statement has ended, as TypeORM passes it to subscribers. */
export interface StatementAnswer {
  readonly success: boolean;
  readonly rawResults?: unknown;
  readonly error?: unknown;
}

/** Allowed only before any query, and so before one of ours. */
const SETS_TRANSACTION = /^\s*SET\s+TRANSACTION\b[^;\\]*$/i;

/** The part of a session that the analysis of its statements needs. */
interface ClassifyingSession {
  readonly parts: { readonly schema: CatalogCache };
  namesUnder(catalog: Catalog): Promise<SessionNames | undefined>;
}

export class StatementContext {
  phase: StatementPhase = 'waiting';
  state: StatementState = 'unprepared';
  /** The mark of a published commit or of an autonomous statement, where there is one. */
  publishedWrite: PublishedWrite | undefined;
  analysis: StatementAnalysis | undefined;
  /** The catalog at hand when it was sent. */
  catalog: Catalog | undefined;
  /** The same, with names as they are over the connection: the analysis was made under it. */
  sessionCatalog: Catalog | undefined;
  /** The tables of which triggers sent notices while it ran. */
  readonly noticed = new Set<string>();

  constructor(
    readonly runner: QueryRunner,
    readonly sql: string,
    readonly parameters: unknown,
  ) {}

  /** Analyses the text by what its names mean over the connection. */
  async classify(session: ClassifyingSession): Promise<void> {
    const { sql } = this;
    const { schema } = session.parts;
    // One catalog throughout, even if another is loaded meanwhile.
    const usual = schema.catalogFor(undefined);
    this.catalog = usual.catalog;
    this.sessionCatalog = usual.catalog;
    this.analysis = usual.analyser.statement(sql);
    // A backslash can hide the end of a text, and with it another statement.
    if (this.analysis.kind === 'transaction' && !sql.includes('\\')) return;
    if (SETS_TRANSACTION.test(sql)) return;
    const names = await session.namesUnder(usual.catalog);
    if (names && !names.isStandard && sql.includes('\\')) {
      this.analysis = { kind: 'unknown', transactional: false, changesSchema: true };
      return;
    }
    const { analyser, catalog } = names ? schema.catalogFor(names) : usual;
    const analysis = analyser.statement(sql);
    this.sessionCatalog = catalog;
    this.analysis = analysis;
    if (analysis.kind === 'read' && analysis.restsOnSchema && !(await schema.isCurrent())) {
      this.analysis = ANY_WRITE;
    }
  }

  /** Whether it may commit by itself, so that `begin` and `end` have to lie around it. */
  get commitsByItself(): boolean {
    const { analysis } = this;
    if (analysis?.kind === 'transaction') return analysis.command === 'other';
    return analysis?.kind === 'unknown' && !analysis.transactional;
  }

  /** Whether names may mean something else over its connection once it has been carried out. */
  get mayChangeNames(): boolean {
    const { analysis } = this;
    if (!analysis || analysis.kind === 'transaction') return false;
    return analysis.kind === 'unknown' || analysis.changesNames;
  }
}

/** Whether the server has said how the statement has ended. */
export function isAnswered({ success = false, error }: Partial<StatementAnswer>): boolean {
  return success || sqlStateOf(error) !== undefined;
}
