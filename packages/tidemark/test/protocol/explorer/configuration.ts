/** A configuration of the explorer: processes, faults and rules. */
import type { WritePolicy } from '../../../src/core/write-protocol.js';
import type { VersionStore } from '../../../src/core/ports/version-store.js';
import type { WriterActivity } from '../../../src/core/ports/writer-activity.js';
import { Reader, type Query, type ReaderSurroundings } from './actors/reader.js';
import { Writer, type WriterPlan, type WriterSurroundings } from './actors/writer.js';
import type { DataSet } from './world/data-set.js';
import type { Postgres, State } from './world/postgres.js';

export type Fault =
  | 'writer crashes'
  | 'COMMIT unanswered'
  | 'version evicted'
  | 'marks lost'
  | 'all but the epoch lost'
  | 'entry evicted'
  | 'restart empty'
  | 'restart from snapshot'
  | 'failover'
  | 'outage of the writer'
  | 'outage of all';

/** The rules of the protocol that a variant may break; each is right by default. */
export interface Rules {
  /** The store of one bucket, as a process sees it. */
  readonly store: (data: DataSet, process: string) => VersionStore;
  readonly activity: (postgres: Postgres) => WriterActivity;
  readonly reader: new (around: ReaderSurroundings) => Reader;
  readonly writer: new (around: WriterSurroundings, plan: WriterPlan) => Writer;
}

export interface Configuration {
  readonly name: string;
  readonly initial: State;
  /** The buckets of Redis, each on a server of its own. */
  readonly buckets: number;
  readonly queries: readonly Query[];
  readonly writers: readonly WriterPlan[];
  readonly readers: number;
  /** Reads of all readers together. */
  readonly reads: number;
  readonly faults: readonly Fault[];
  /** The buckets whose servers fail. */
  readonly faultyBuckets: readonly number[];
  /** Faults that happen in one run at the most. */
  readonly maxFaults: number;
  readonly policy: WritePolicy;
  /** Whether leases may run out. */
  readonly leasesRunOut: boolean;
  /** Whether each reader keeps entries in memory beside the shared ones. */
  readonly keepsEntries: boolean;
  readonly sharesEntries: boolean;
  /** Whether readers fill one after the other, under a lock. */
  readonly locksFills: boolean;
  /** Whether commands sent in one turn are carried out apart. */
  readonly takesTurnsApart: boolean;
  /** Whether readers notice by a broken connection that Redis has become another. */
  readonly noticesFailures: boolean;
  readonly rules: Rules;
}
