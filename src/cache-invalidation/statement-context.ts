import type { QueryRunner } from 'typeorm';
import { sqlStateOf } from '../query-cache/core/sql-state.js';
import type { Catalogue, StatementAnalysis } from '../query-cache/index.js';
import type { Announcement } from './core/write-protocol.js';
import { NoticedWrites } from './outbox/trigger-notice.js';

/** What was done for a statement before it was sent, and has to be ended once it is answered. */
export type StatementState =
  /** Nothing: it reads, or belongs to an open transaction. */
  | 'unprepared'
  /** A transaction was opened for it alone (own-transaction.ts). */
  | 'implicit-transaction'
  /** It is COMMIT, and what it commits is published. */
  | 'published-commit'
  /** It commits by itself, and everything is published (enclosed-statement.ts). */
  | 'autonomous';

/** How a statement has ended, as TypeORM tells it. */
export interface StatementAnswer {
  readonly success: boolean;
  readonly rawResults?: unknown;
  readonly error?: unknown;
}

/** Whether the server has said how the statement has ended. */
export function isAnswered({ success = false, error }: Partial<StatementAnswer>): boolean {
  return success || sqlStateOf(error) !== undefined;
}

/** A statement between `beforeQuery` and the end of `afterQuery`. */
export class StatementContext {
  state: StatementState = 'unprepared';
  /** The mark of a published commit or of an autonomous statement, where there is one. */
  announcement: Announcement | undefined;
  analysis: StatementAnalysis | undefined;
  /** The catalogue at hand when it was sent. */
  catalogue: Catalogue | undefined;
  /** The same, with names as they are over the connection: the analysis was made under it. */
  meaning: Catalogue | undefined;
  /** What triggers have told while it ran. */
  readonly noticed = new NoticedWrites();

  constructor(
    readonly runner: QueryRunner,
    readonly sql: string,
    readonly parameters: unknown,
  ) {}
}
