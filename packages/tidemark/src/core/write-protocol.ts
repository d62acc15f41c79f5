/**
 * The write side of the protocol: `begin` before COMMIT, `end` after it, `abort` after ROLLBACK.
 *
 * `begin` marks the written regions and replaces their versions: until `end`, their answers are neither served from nor
 * stored in any cache. `begin` is the last step before COMMIT. `end` replaces the versions again and removes the mark.
 * If the outcome of a COMMIT is unknown, the mark stays; once its lease has expired, it is settled by asking PostgreSQL
 * (settlement.ts).
 *
 * If `begin` cannot reach the version store, or some of its buckets that hold tables of the write:
 * - policy `refuse`: the write is refused, and nothing has happened;
 * - policy `commit`: the write records in the database which buckets it is unpublished in, and commits. Its tables in
 *   those buckets enter the retry queue of this process: once the store answers again, their epochs are replaced, which
 *   invalidates all their entries. If the process ends before that, other instances find the record. A write that
 *   cannot be recorded is refused.
 */
import { inBuckets, replaceVersions, type BucketFailure } from './buckets.js';
import type { CacheEvents, WriteCause } from './ports/cache-events.js';
import { pause, type Clock, type Timers } from './ports/clock.js';
import { type TokenSource, WHOLE_TABLE } from './versions.js';
import { ANYTHING, schemaTables } from './schema-version.js';
import type { TableVersionNames, VersionStore } from './ports/version-store.js';
import { WriteEvents, type EndedAnswers } from './write-events.js';
import type { RefuseWrite } from './write-refused.js';

/** Whether a write that cannot be published is committed or refused. */
export type WritePolicy = 'commit' | 'refuse';

/** The known outcome of a transaction after COMMIT was sent. */
export type CommitOutcome = 'committed' | 'rolled-back' | 'unknown';

/**
 * The versions of a write: `all-tables` if its tables are unknown, `schema` if it may have changed the schema as well.
 */
export type WrittenVersions = readonly TableVersionNames[] | 'all-tables' | 'schema';

/** A write between `begin` and its end. */
export interface PublishedWrite {
  readonly writeId: string;
  readonly tables: readonly string[];
  readonly versions: readonly TableVersionNames[];
  /** The buckets in which `begin` failed: whether the regions of their tables are marked is unknown. */
  readonly unpublishedIn: readonly number[];
}

/** Records in a write's transaction that it was not published in these buckets. */
export type RecordUnpublished = (buckets: readonly number[]) => Promise<void>;

export interface WriteProtocolParts {
  readonly store: VersionStore;
  readonly events: CacheEvents;
  readonly answers: EndedAnswers;
  readonly token: TokenSource;
  /** Monotonic. */
  readonly clock: Clock;
  readonly timers: Timers;
  readonly policy: WritePolicy;
  readonly refuse: RefuseWrite;
  /** Lease of a mark, in milliseconds on the store's clock. */
  readonly leaseMs: number;
  /** Pause between two attempts to flush the retry queue, in milliseconds. */
  readonly retryMs: number;
  /** How long the retry queue is still flushed when the application stops, in milliseconds. */
  readonly drainMs: number;
}

export class WriteProtocol {
  /** Tables of writes that committed without a mark. */
  readonly #retryQueue = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  readonly #events: WriteEvents;
  #flushing: Promise<void> | undefined;
  #isClosed = false;

  constructor(private readonly parts: WriteProtocolParts) {
    this.#events = new WriteEvents(parts);
  }

  /**
   * @param record called under the policy `commit` if the store is unreachable. Rejects if it cannot record, and leaves
   *   the transaction unchanged.
   * @throws the error of a refused write if the store is unreachable, under `refuse` or if `record` rejects.
   */
  begin(
    written: WrittenVersions,
    backendPid: number,
    record: RecordUnpublished,
  ): Promise<PublishedWrite> {
    const { tracer } = this.parts.events;
    if (!tracer) return this.#begin(written, backendPid, record);
    return tracer.publish(() => this.#begin(written, backendPid, record));
  }

  async #begin(
    written: WrittenVersions,
    backendPid: number,
    record: RecordUnpublished,
  ): Promise<PublishedWrite> {
    const { store, token, leaseMs, policy, events } = this.parts;
    const mark = { writeId: token(), backendPid, tables: versionsOf(written, store) };
    const replacing = token();
    const failures = await inBuckets(store, mark.tables, (tables) =>
      store.begin({ ...mark, tables }, replacing, leaseMs),
    );
    const unpublishedIn = failures.map(({ bucket }) => bucket);
    const publishedWrite = {
      writeId: mark.writeId,
      tables: mark.tables.map(({ table }) => table),
      versions: mark.tables,
      unpublishedIn,
    };
    const [failure] = failures;
    if (!failure) return publishedWrite;
    if (policy === 'refuse') throw this.#refusal(publishedWrite, failure.cause);
    await record(unpublishedIn).catch((error: unknown) => {
      throw this.#refusal(publishedWrite, error);
    });
    events.emitSafely('unpublished');
    return publishedWrite;
  }

  /** Emits that the write is published. Call it once, before the write is concluded. */
  emitInvalidated(publishedWrite: PublishedWrite, cause?: WriteCause): void {
    const { writeId, versions, unpublishedIn } = publishedWrite;
    const published = this.#published(versions, unpublishedIn);
    this.#events.invalidated({ writeId, source: 'service' }, published, cause);
    if (published.length > 0) this.#events.began(publishedWrite);
  }

  /** Replaces the versions of writes that others committed. Resolves to the buckets in which it failed. */
  async publish(written: WrittenVersions): Promise<readonly BucketFailure[]> {
    const { store, token } = this.parts;
    const tables = versionsOf(written, store);
    const failures = await replaceVersions(this.parts, tables);
    const unpublishedIn = failures.map(({ bucket }) => bucket);
    const published = this.#published(tables, unpublishedIn);
    this.#events.invalidated({ writeId: token(), source: 'outside' }, published);
    return failures;
  }

  /** After COMMIT was answered or has failed. */
  conclude(publishedWrite: PublishedWrite, outcome: CommitOutcome): void {
    if (outcome === 'committed') this.end(publishedWrite);
    if (outcome === 'rolled-back') this.abort(publishedWrite);
    if (outcome === 'unknown') {
      this.enqueue(this.#unpublished(publishedWrite));
      this.#events.concluded(publishedWrite, outcome);
    }
  }

  /** After COMMIT. Runs in the background: readers bypass the cache until it is done. */
  end(publishedWrite: PublishedWrite): void {
    const { writeId, tables } = publishedWrite;
    this.enqueue(this.#unpublished(publishedWrite));
    this.#concludeAfter(this.#end(writeId, tables), publishedWrite, 'committed');
  }

  /** After an autonomous statement. It may have outlived its mark, so it is published once more. */
  endLong(
    publishedWrite: PublishedWrite,
    backendPid: number,
    outcome: CommitOutcome = 'committed',
  ): void {
    const { writeId, tables } = publishedWrite;
    const unpublished = this.#unpublished(publishedWrite);
    this.enqueue(unpublished);
    const published = tables.filter((table) => !unpublished.includes(table));
    const versions = published.map((table) => ({ table, names: [WHOLE_TABLE] }));
    const { store, token, leaseMs } = this.parts;
    const ended = inBuckets(store, versions, async (part) => {
      await store.begin({ writeId, backendPid, tables: part }, token(), leaseMs);
      await this.#end(
        writeId,
        part.map(({ table }) => table),
      );
    });
    this.#concludeAfter(ended, publishedWrite, outcome);
  }

  /** After ROLLBACK, or if COMMIT has certainly failed. */
  abort(publishedWrite: PublishedWrite): void {
    const { writeId, tables } = publishedWrite;
    const aborted = this.parts.store.abort(writeId, tables);
    this.#concludeAfter(aborted, publishedWrite, 'rolled-back');
  }

  /** A write to the tables committed without a mark: invalidates their entries as soon as possible. */
  enqueue(tables: readonly string[] | 'all-tables'): void {
    const ended = tables === 'all-tables' ? schemaTables(this.parts.store) : tables;
    for (const table of ended) this.#retryQueue.add(table);
    if (ended.length > 0) this.#flushing ??= this.#flush();
  }

  /**
   * Waits until every write has ended, so that no mark is left behind, and at most `drainMs` until the retry queue is
   * empty. Resolves to whether both were reached.
   */
  async drain(): Promise<boolean> {
    await Promise.allSettled(this.#pending);
    const late = setTimeout(() => (this.#isClosed = true), this.parts.drainMs);
    await this.#flushing;
    clearTimeout(late);
    return this.#retryQueue.size === 0;
  }

  #unpublished({ tables, unpublishedIn }: PublishedWrite): readonly string[] {
    return tables.filter((table) => unpublishedIn.includes(this.parts.store.bucketOf(table)));
  }

  #published(tables: readonly TableVersionNames[], unpublishedIn: readonly number[]) {
    if (unpublishedIn.length === 0) return tables;
    return tables.filter(({ table }) => !unpublishedIn.includes(this.parts.store.bucketOf(table)));
  }

  #end(writeId: string, tables: readonly string[]): Promise<void> {
    return this.parts.store.end(writeId, tables, this.parts.token());
  }

  #refusal(write: PublishedWrite, cause: unknown): Error {
    this.parts.events.emitSafely('writeRefused');
    this.emitInvalidated(write);
    this.abort(write);
    return this.parts.refuse(cause);
  }

  #concludeAfter(work: Promise<unknown>, write: PublishedWrite, outcome: CommitOutcome): void {
    // After a failure the mark expires with its lease; the store emits the outage itself.
    const running = work
      .catch(() => undefined)
      .then(() => {
        this.#pending.delete(running);
        this.#events.concluded(write, outcome);
      });
    this.#pending.add(running);
  }

  async #flush(): Promise<void> {
    while (!this.#isClosed) {
      const [table] = this.#retryQueue;
      if (table === undefined) break;
      // The table may be enqueued again while its epoch is being replaced.
      this.#retryQueue.delete(table);
      if (await this.#replaceEpoch(table).catch(() => false)) continue;
      this.#retryQueue.add(table);
      await pause(this.parts.timers, this.parts.retryMs);
    }
    this.#flushing = undefined;
  }

  async #replaceEpoch(table: string): Promise<boolean> {
    const [reading] = await this.parts.store.read([{ table, names: [] }]);
    if (reading?.node === undefined) return false;
    return this.parts.store.rotate(table, reading.epoch, this.parts.token());
  }
}

/** Every answer depends on both versions of the schema, in the buckets of its tables. */
function versionsOf(written: WrittenVersions, store: VersionStore): readonly TableVersionNames[] {
  if (typeof written !== 'string') return written;
  const names = [written === 'schema' ? WHOLE_TABLE : ANYTHING];
  return schemaTables(store).map((table) => ({ table, names }));
}

/**
 * SQLSTATE classes with which PostgreSQL refuses a COMMIT because of the transaction's statements: the transaction was
 * rolled back. After any other failure (a lost connection, a server shutting down, an exhausted resource) the outcome
 * is unknown.
 */
const ROLLBACK_CLASSES: ReadonlySet<string> = new Set(['22', '23', '25', '40', '42', '55', 'P0']);
const STATEMENT_COMPLETION_UNKNOWN = '40003';

/** @param command the command tag of the answer: in a failed transaction COMMIT is answered with ROLLBACK. */
export function outcomeOfAnswer(command: string | undefined): CommitOutcome {
  if (command === 'COMMIT') return 'committed';
  return command === 'ROLLBACK' ? 'rolled-back' : 'unknown';
}

export function outcomeOfFailure(sqlState: string | undefined): CommitOutcome {
  if (sqlState === undefined || sqlState === STATEMENT_COMPLETION_UNKNOWN) return 'unknown';
  return ROLLBACK_CLASSES.has(sqlState.slice(0, 2)) ? 'rolled-back' : 'unknown';
}
