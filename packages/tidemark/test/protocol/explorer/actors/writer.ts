/** A process that writes: statements, the log of their write sets, and the write protocol. */
import { TransactionLog, versionNames } from '../../../../src/core/write-set.js';
import {
  type CommitOutcome,
  outcomeOfFailure,
  type PublishedWrite,
  type WritePolicy,
  WriteProtocol,
  type WrittenVersions,
} from '../../../../src/core/write-protocol.js';
import { CacheEvents } from '../../../../src/core/ports/cache-events.js';
import { sqlStateOf } from '../../../../src/postgres/sql-state.js';
import type { TokenSource } from '../../../../src/core/versions.js';
import type { VersionStore } from '../../../../src/core/ports/version-store.js';
import type { Linearizability } from '../linearizability.js';
import { ParkedTimers } from '../world/parked-ports.js';
import type { Postgres, State, Transaction } from '../world/postgres.js';
import type { Parked, Process } from '../world/process.js';
import { execute, keysOf, type Statement } from './statements.js';

export interface TransactionPlan {
  readonly statements: readonly Statement[];
  /** `fails`: PostgreSQL refuses the COMMIT, as for a deferred constraint. */
  readonly ending: 'commit' | 'rollback' | 'fails';
}

export interface WriterPlan {
  readonly backendPid: number;
  readonly transactions: readonly TransactionPlan[];
}

export interface WriterSurroundings {
  readonly process: Process;
  readonly postgres: Postgres;
  readonly linearizability: Linearizability<State>;
  readonly token: TokenSource;
  readonly store: VersionStore;
  readonly policy: WritePolicy;
}

const COMMIT = 'COMMIT';
const REFUSED_BY_CONSTRAINT = Object.assign(new Error('duplicate key'), {
  code: '23505',
  severity: 'ERROR',
});

/** The transaction records in the outbox that it was not published; no actor relays. */
export const inOutbox = (): Promise<void> => Promise.resolve();

export class Writer {
  readonly process: Process;
  protected readonly protocol: WriteProtocol;
  protected transaction: Transaction | undefined;
  #next = 0;
  #isCut = false;

  constructor(
    protected readonly around: WriterSurroundings,
    readonly plan: WriterPlan,
  ) {
    const { process, store, token, policy } = around;
    this.process = process;
    const retries = new ParkedTimers(
      process,
      'tries again to pay',
      () => () => process.away.size === 0,
    );
    this.protocol = new WriteProtocol({
      store,
      events: new CacheEvents(),
      answers: { regionNames: (tables) => tables, endedLocally: () => 0 },
      token,
      clock: { nowMs: () => 0 },
      timers: retries,
      policy,
      leaseMs: 1_000,
      retryMs: 1,
      drainMs: 1,
      refuse: (cause) => new Error('refused', { cause }),
    });
  }

  /** Whether there is a transaction left to run. */
  get isIdle(): boolean {
    return (
      !this.process.isBusy && !this.process.isCrashed && this.#next < this.plan.transactions.length
    );
  }

  get openTransaction(): Transaction | undefined {
    return this.transaction?.isOpen === true ? this.transaction : undefined;
  }

  /** A COMMIT that has been sent. */
  get unansweredCommit(): Parked | undefined {
    return this.#isCut ? undefined : this.#commit();
  }

  /** Whether PostgreSQL may find that its client is gone. */
  get isCutOff(): boolean {
    return this.process.isCrashed || this.#isCut;
  }

  /** The connection to PostgreSQL breaks; whether the COMMIT has arrived there is open. */
  cutOff(): void {
    this.#isCut = true;
    this.#commit()?.abandon(new Error('The connection is gone.'));
  }

  /** The part of its state that decides its next steps, beside the answers received. */
  describe(): string {
    return `${this.#next} ${this.isCutOff} ${this.openTransaction?.id}`;
  }

  start(): void {
    const plan = this.plan.transactions[this.#next];
    if (!plan) throw new Error('There is no transaction left to run.');
    this.#next += 1;
    const operation = this.process.begin(`transaction ${this.#next}`);
    void this.run(plan).finally(() => operation.end());
  }

  #commit(): Parked | undefined {
    return this.process.parked.find(({ label }) => label === COMMIT);
  }

  protected async run({ statements, ending }: TransactionPlan): Promise<void> {
    const log = new TransactionLog();
    await this.write(statements, log);
    if (ending === 'rollback') {
      await this.rollBack();
      return;
    }
    const written = this.written(log);
    let publishedWrite: PublishedWrite | undefined;
    try {
      if (written.length > 0) {
        publishedWrite = await this.protocol.begin(written, this.plan.backendPid, inOutbox);
      }
    } catch {
      await this.rollBack();
      return;
    }
    const outcome = await this.commit(ending === 'fails');
    if (publishedWrite) this.protocol.conclude(publishedWrite, outcome);
  }

  protected written(log: TransactionLog): WrittenVersions {
    return writtenVersions(log);
  }

  /** All statements in one step: no process sees a state between them. */
  protected write(statements: readonly Statement[], log: TransactionLog): Promise<void> {
    const { postgres } = this.around;
    return this.process.call(
      'postgres',
      'writes',
      () => {
        this.transaction = postgres.begin(this.plan.backendPid);
        for (const statement of statements) execute(statement, this.transaction, log);
      },
      { isReady: () => !postgres.isLocked(keysOf(statements)) },
    );
  }

  protected rollBack(): Promise<void> {
    return this.process.call('postgres', 'ROLLBACK', () => {
      if (this.transaction) this.around.postgres.abort(this.transaction);
    });
  }

  protected async commit(isRefused: boolean): Promise<CommitOutcome> {
    const { postgres, linearizability, process } = this.around;
    try {
      const state = await process.call('postgres', COMMIT, () => {
        const { transaction } = this;
        if (!transaction?.isOpen) throw new Error('The connection is gone.');
        if (!isRefused) return postgres.commit(transaction);
        postgres.abort(transaction);
        throw REFUSED_BY_CONSTRAINT;
      });
      linearizability.acknowledged(state);
      return 'committed';
    } catch (error) {
      return outcomeOfFailure(sqlStateOf(error));
    }
  }
}

export function writtenVersions(log: TransactionLog): WrittenVersions {
  const written = log.written();
  return written === 'all-tables' ? written : versionNames(written);
}
