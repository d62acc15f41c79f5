/** The events of the cache. Listeners have no influence: a failing one is ignored. */
import { EventEmitter } from 'node:events';
import type { UncacheableReason } from '../statement-analysis.js';
import type { Tracer } from './tracer.js';
import type { TableVersionNames } from './version-store.js';
import type { Writers } from './writer-activity.js';

export type CacheLevel = 'L1' | 'L2';

/** Why an answer came from the database and was not stored. */
export type BypassReason =
  | 'in-doubt'
  | 'settling'
  | 'schema-change'
  | 'unavailable'
  | 'not-followed'
  | 'fill-timeout'
  | 'no-store'
  | 'transaction'
  | 'uncacheable'
  /** Shadow mode: the query runs each time (shadow-reads.ts). */
  | 'shadow'
  | 'disabled';

/** The part of a query that differed when it was built again with equal parameters. */
export type PlanDifference = 'SQL' | 'parameters' | 'mapped rows';

/**
 * Why an epoch was replaced: there was none yet; data that this process had used are missing although the store was
 * available all the time; another server answers; or the store was unavailable.
 */
export type EpochCause = 'missing' | 'lost' | 'other-node' | 'outage';

/**
 * How the answer of the database differs from the stored one: not at all, in its rows, in the order of its lists alone
 * (rows, nested rows, values: the database may choose it without a unique ORDER BY), or in the response headers.
 */
export type ShadowDifference = 'none' | 'content' | 'order' | 'headers';

/**
 * Why a read found no valid entry, by the newest one in memory or in Redis. `new`: none was known for its key.
 * `expired`: its time to live was over, and no dependency has changed. `outdated`: a dependency has another version or
 * epoch since. `fresh`: the caller asked for a new answer.
 */
export type MissCause = 'new' | 'expired' | 'outdated' | 'fresh';

/**
 * Tables and the names of their versions (versions.ts), as events have them: of each dimension of a table at most 100
 * values. A value is replaced by a short digest, unless the option `exposeValues` allows it. The digest tells regions
 * apart and is the same on every instance; it does not protect values that can be guessed.
 */
export type Regions = readonly TableVersionNames[];

interface Hit {
  readonly query: string;
  readonly key: string;
  readonly level: CacheLevel;
  /** Time from the call to the answer, in milliseconds: the read of the versions is most of it. */
  readonly durationMs: number;
  /** Length of the body. */
  readonly bytes: number;
  /** The regions that the answer depends on. */
  readonly regions: Regions;
}

interface Miss {
  readonly query: string;
  readonly key: string;
  readonly stored: boolean;
  /** Why it was not stored. */
  readonly refusal: UncacheableReason | undefined;
  readonly cause: MissCause;
  /**
   * The regions that have ended the entry, if the cause is `outdated`. `*` stands for a table whose epoch was replaced,
   * `#schema` for a change of the schema or a write to all tables.
   */
  readonly outdated: Regions;
  /** Time of the query and of the waits for other fills, in milliseconds. */
  readonly durationMs: number;
  /** Length of the body. */
  readonly bytes: number;
  /** The regions that the answer depends on. */
  readonly regions: Regions;
}

interface Bypass {
  readonly query: string;
  readonly reason: BypassReason;
  /** Why the query is never cached. */
  readonly detail: string | undefined;
  /** Time of the query, in milliseconds. */
  readonly durationMs: number;
}

/** A writing statement, without its parameters and literals. */
export interface WriteStatement {
  /**
   * Its command and targets, such as `UPDATE public.users`; without targets the functions that may have written, such as
   * `CALL refresh`. At most 200 characters. `unknown`: the parser cannot read the text; `long text`: it has more than
   * 10,000 characters, and no targets are known.
   */
  readonly title: string;
  /**
   * Equal for statements that differ in literals, parameters and spaces alone: 16 hex digits. A hash of the text where
   * the parser cannot read it, and of the title for a text of more than 10,000 characters.
   */
  readonly fingerprint: string;
}

/**
 * The writer of a write. `service`: a transaction of this process; `outside`: another writer, seen through the outbox;
 * `invalidate`: `QueryCache.invalidate`.
 */
export type WriteSource = 'service' | 'outside' | 'invalidate';

/** The code that has written. */
export type WriteCause = Pick<Invalidation, 'origin' | 'statements'>;

/** A write has been published: the answers of its regions have ended. */
export interface Invalidation {
  /** Unique for each write. */
  readonly writeId: string;
  readonly source: WriteSource;
  /**
   * The route or the job, such as `PATCH /users/:id`: that of the transaction's first write, else that of its COMMIT.
   * `undefined`: unknown (write-origins.ts).
   */
  readonly origin: string | undefined;
  /**
   * The statements of the transaction that have written, or may have, in the order of their first execution: each
   * fingerprint once, at most 8 of the first 32 texts. Statements that ROLLBACK TO has undone are left out. None:
   * unknown. A getter: the first access may parse new texts, which takes milliseconds.
   */
  readonly statements: readonly WriteStatement[];
  /** A write to all tables, or to the schema, has one region: `*` of the table `*`. */
  readonly regions: Regions;
  /** How many entries in the memory of this process have ended; of those of over 100 regions, the 1,000 latest count. */
  readonly localEntries: number;
}

/**
 * The arguments of each event's listeners. `query` is the name of the query; `table` is `schema.name`, or `#schema` for
 * what concerns all tables of a bucket.
 *
 * A request emits one of these events, by which requests are counted:
 * - `hit`, also after it has waited for another request's fill;
 * - `miss`, if it has run the query itself;
 * - `joined` with the scope `process`, if it got the answer of another request's `miss`;
 * - `bypass`, also if its query has failed, or if it was turned away from a fill;
 * - `fillFailed`, if its own fill or the one that it waited for has failed.
 *
 * `joined` with the scope `instances` comes before the `hit` of the same request and counts no other one. In shadow
 * mode `hit` and `joined` say what would have been served. A request that fails before its versions are read, such as
 * by an error of its builder, emits none.
 */
export interface CacheEventMap {
  /** A stored answer was valid: `L1` in memory, `L2` in Redis. */
  hit: [event: Hit];
  /** The query ran under versions that could be trusted. */
  miss: [event: Miss];
  /** The query ran and its answer was not stored. Emitted when it has ended, also with an error. */
  bypass: [event: Bypass];
  /** The request has waited for the fill of another request of this process, or of another instance. */
  joined: [event: { query: string; scope: 'process' | 'instances' }];
  /** A query's builder reads more than its parameters: earlier hits may have been another caller's answers. */
  planDiffers: [event: { query: string; difference: PlanDifference }];
  /**
   * Shadow mode: a stored answer that would have been served was compared with the database. `stamp` is the text of the
   * versions under which both were read, without the values of their regions.
   */
  shadowCompared: [event: { query: string; difference: ShadowDifference; stamp: string }];
  /** The query of a miss has failed. Emitted for each request that gets its error. */
  fillFailed: [event: { query: string }];
  /** The shared store has refused a command for entries or locks, or did not answer. */
  storeFailed: [event: { operation: string }];
  /** The shared store refused a command because its memory is full. */
  storeFull: [];
  /** The shared store has lost data that it had confirmed, or holds older data again. */
  dataLost: [];
  /** The value under an entry's key has a form or a seal that is not this service's. */
  entryRefused: [event: { reason: 'form' | 'seal' }];
  /** All answers of the table were ended. */
  epochReplaced: [event: { table: string; cause: EpochCause }];
  /** The transactions that had written before the new epoch have ended: answers are stored again. */
  epochSettled: [event: { table: string }];
  /** The transaction of an expired mark has ended, and the mark was removed. */
  markSettled: [event: { table: string }];
  /** The transaction of an expired mark is still open. */
  markRenewed: [event: { table: string }];
  /**
   * Reads of some tables bypass the cache until these transactions of PostgreSQL have ended; none: the wait is over.
   */
  awaiting: [event: { transactions: Writers }];
  /** A write has ended the answers of its regions. */
  invalidated: [event: Invalidation];
  /**
   * The transaction of an own write has ended, and its marks are removed or have been given up: so long after
   * `invalidated`, which precedes it with the same `writeId`. `unknown`: COMMIT had no answer, or a statement that commits by itself has failed.
   */
  concluded: [
    event: {
      writeId: string;
      outcome: 'committed' | 'rolled-back' | 'unknown';
      durationMs: number;
    },
  ];
  /**
   * The auditor has run the query of a hit again and compared. `stamp` is the text of the versions under which both were
   * read, without the values of their regions.
   */
  audited: [event: { query: string; key: string; difference: ShadowDifference; stamp: string }];
  /** External writes were published; the oldest of them had waited for `lagMs` milliseconds. */
  relayed: [event: { rows: number; lagMs: number }];
  /** A database connection leads to a standby, from which nothing is stored; or none does any more. */
  standby: [event: { isStandby: boolean }];
  /** The recording of writes, such as a trigger, was changed: all tables counted as written. */
  recordingChanged: [];
  /** A write committed although it could not be published. */
  unpublished: [];
  /** A write that could not be published was refused: its transaction is rolled back. */
  writeRefused: [];
}

/** The events of one cache, as an `EventEmitter`. They are emitted synchronously. */
export class CacheEvents extends EventEmitter<CacheEventMap> {
  /** Gets the work that events are about; `undefined`: it runs directly. */
  tracer: Tracer | undefined;

  /** Emits, and keeps listeners' errors from the caller. */
  emitSafely<K extends keyof CacheEventMap>(name: K, ...event: CacheEventMap[K]): void {
    try {
      (this.emit as (name: string, ...event: unknown[]) => boolean).call(this, name, ...event);
    } catch {
      // Reads and writes continue.
    }
  }
}
