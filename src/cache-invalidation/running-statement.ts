import type { QueryRunner } from 'typeorm';
import type { Catalogue, StatementAnalysis } from '../query-cache/index.js';
import type { Announcement } from './core/write-protocol.js';
import { NoticedWrites } from './outbox/trigger-notice.js';

/** What was done for a statement before it was sent, and how it makes room for another. */
export interface Preparation {
  /** Undoes it for a while: another statement goes first. */
  readonly giveWay: () => Promise<void>;
  /** Does it again, where the connection is as it was; answers whether it did. */
  readonly resume: () => Promise<boolean>;
  /** Undoes it for good: the statement will never be sent. Never rejects. */
  readonly abandon: () => Promise<void>;
}

/** A statement between `beforeQuery` and the end of `afterQuery`. */
export class RunningStatement {
  analysis: StatementAnalysis | undefined;
  /** The catalogue at hand when it was sent. */
  catalogue: Catalogue | undefined;
  /** The same, with names as they are over the connection: the analysis was made under it. */
  meaning: Catalogue | undefined;
  /** Whether a transaction was open when it was sent. */
  wasInTransaction = false;
  /** What triggers have told while it ran. */
  readonly noticed = new NoticedWrites();
  /** For COMMIT, and for statements that commit by themselves. */
  announcement: Announcement | undefined;
  /** Commits or rolls back the transaction that was opened for this statement alone. */
  endOwnTransaction: ((success: boolean, error: unknown) => Promise<void>) | undefined;
  preparation: Preparation | undefined;
  /** Has given way and not come back. */
  isSuspended = false;
  /** All is done for it here; whether it was handed to the driver is not known. */
  isReady = false;
  isAnswered = false;
  /** Resolves when it is ready. */
  readonly ready: Promise<void>;
  /** Resolves when it has been dealt with. */
  readonly left: Promise<void>;
  becomeReady: () => void = () => undefined;
  leave: () => void = () => undefined;

  constructor(
    readonly runner: QueryRunner,
    readonly sql: string,
    readonly parameters: unknown,
  ) {
    this.left = new Promise((resolve) => (this.leave = resolve));
    this.ready = new Promise((resolve) => {
      this.becomeReady = () => {
        this.isReady = true;
        resolve();
      };
    });
  }
}
