/** The events of the cache. Observers never decide: a failing listener is ignored. */
import { EventEmitter } from 'node:events';
import type { UncacheableReason } from '../statement-analysis.js';
import type { Writers } from './writer-activity.js';

export type CacheLevel = 'L1' | 'L2';

/** Why an answer was taken from the database without being stored. */
export type BypassReason =
  | 'in-doubt'
  | 'settling'
  | 'schema-change'
  | 'unavailable'
  | 'not-followed'
  | 'fill-timeout'
  | 'transaction'
  | 'uncacheable';

/** What was found to differ when a query was built again with equal parameters. */
export type PlanDifference = 'SQL' | 'parameters' | 'mapped rows';

/**
 * Why an epoch was replaced: there was none yet, data that this process has used are gone although the store was
 * there all the time, another server answers, or the store was away.
 */
export type EpochCause = 'missing' | 'lost' | 'other-node' | 'outage';

interface Miss {
  readonly query: string;
  readonly stored: boolean;
  /** Why it was not stored. */
  readonly refusal: UncacheableReason | undefined;
  readonly durationMs: number;
}

export interface CacheEventMap {
  hit: [event: { query: string; level: CacheLevel }];
  miss: [event: Miss];
  bypass: [event: { query: string; reason: BypassReason; detail: string | undefined }];
  /** The entry took another path than planned: shared with a fill already under way. */
  joined: [event: { query: string; scope: 'process' | 'instances' }];
  /** The builder of a query reads more than its parameters: earlier hits may have been another caller's. */
  planDiffers: [event: { query: string; difference: PlanDifference }];
  fillFailed: [event: { query: string }];
  storeFailed: [event: { operation: string }];
  /** The shared store has refused a command because its memory is full. */
  storeFull: [];
  /** The shared store has lost data that it had confirmed, or holds older data again. */
  dataLost: [];
  /** What lay under an entry's key was none of this service's, by its form or by its seal. */
  entryRefused: [event: { reason: 'form' | 'seal' }];
  epochReplaced: [event: { table: string; cause: EpochCause }];
  epochSettled: [event: { table: string }];
  markSettled: [event: { table: string }];
  markRenewed: [event: { table: string }];
  /** Reads of some tables go past the cache until these transactions of PostgreSQL have ended; none: it is over. */
  awaiting: [event: { transactions: Writers }];
  invalidated: [event: { tables: number; versions: number }];
  /** Writes from outside were published, and the oldest of them had waited for `lagMs` milliseconds. */
  relayed: [event: { rows: number; lagMs: number }];
  /** A connection to the database leads to a standby, from which nothing is stored; or none does any more. */
  standby: [event: { isStandby: boolean }];
  /** The recording of writes, such as a trigger, was changed: everything counted as written. */
  recordingChanged: [];
  /** A write went on although it could not be published. */
  unpublished: [];
  writeRefused: [];
}

export class CacheEvents extends EventEmitter<CacheEventMap> {
  /** Emits, and keeps errors of listeners from the caller. */
  emitSafely<K extends keyof CacheEventMap>(name: K, ...event: CacheEventMap[K]): void {
    try {
      (this.emit as (name: string, ...event: unknown[]) => boolean).call(this, name, ...event);
    } catch {
      // Reads and writes go on.
    }
  }
}
