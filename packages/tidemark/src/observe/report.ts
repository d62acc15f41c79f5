/**
 * What an instance reports about its cache, as JSON: each instance publishes its own report, and the page, its API and
 * the commands show the sum. Times are milliseconds since the Unix epoch. Regions are those of events: their values are
 * digests unless `exposeValues` allows them.
 */
import type {
  CacheLevel,
  EpochCause,
  MissCause,
  Regions,
  WriteSource,
  WriteStatement,
} from '../core/ports/cache-events.js';

/** Upper bounds of the buckets of a {@link Histogram}, in milliseconds; the last bucket has none. */
export const BUCKETS_MS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
] as const;

/** Counts of durations by bucket: one more than `BUCKETS_MS` has bounds. */
export type Histogram = readonly number[];

/** How requests were answered. A request counts once. */
export interface Outcomes {
  /** From memory. */
  readonly l1: number;
  /** From Redis. */
  readonly l2: number;
  /** From the database, and stored. */
  readonly stored: number;
  /** From the database under trusted versions, and not stored. */
  readonly notStored: number;
  /** By sharing the fill of another request. */
  readonly joined: number;
  readonly bypassed: number;
  readonly failed: number;
}

/** A minute of a query or of an instance. */
export interface MinuteCounts {
  readonly requests: number;
  readonly hits: number;
  /** Database time that hits have saved, in milliseconds. */
  readonly savedMs: number;
}

export interface QueryReport {
  readonly query: string;
  readonly outcomes: Outcomes;
  /** Bypasses and refusals to store, by reason or detail. */
  readonly reasons: Readonly<Partial<Record<string, number>>>;
  readonly hitMs: Histogram;
  readonly fillMs: Histogram;
  /** Hits times the mean duration of a fill, in milliseconds. */
  readonly savedMs: number;
  /** Length of the last answer, in bytes. */
  readonly lastBytes: number;
  /** Bytes of bodies served from the cache. */
  readonly servedBytes: number;
  /** The last 60 minutes, the current one last. */
  readonly minutes: readonly MinuteCounts[];
}

/** A miss and, where it is known, the write that caused it. */
export interface MissReport {
  readonly atMs: number;
  readonly query: string;
  readonly key: string;
  readonly cause: MissCause;
  readonly outdated: Regions;
  readonly durationMs: number;
  /** The last known write to one of the outdated regions. */
  readonly endedBy: RecentWrite | undefined;
}

/** A write that this instance has published or relayed. */
export interface RecentWrite {
  readonly atMs: number;
  readonly writeId: string;
  readonly source: WriteSource;
  readonly origin: string | undefined;
  readonly statements: readonly WriteStatement[];
  readonly regions: Regions;
}

/** Writes of one statement of one origin. */
export interface WriteReport {
  readonly source: WriteSource;
  readonly origin: string | undefined;
  /** The first statement of the transactions; `undefined`: unknown. */
  readonly statement: WriteStatement | undefined;
  readonly writes: number;
  /** Regions ended, and entries of this process. */
  readonly regions: number;
  readonly localEntries: number;
  /** From publish to the end of the transaction. */
  readonly publishedMs: Histogram;
  readonly lastAtMs: number;
  readonly lastRegions: Regions;
}

/** Reads against writes of one region. */
export interface RegionReport {
  readonly table: string;
  /** The name of its version: `*` is the whole table. */
  readonly region: string;
  readonly hits: number;
  readonly misses: number;
  readonly writes: number;
}

/** A request, for the live view. */
export interface LiveRequest {
  readonly atMs: number;
  readonly query: string;
  readonly outcome: 'hit' | 'miss' | 'bypass' | 'joined' | 'failed';
  readonly level: CacheLevel | undefined;
  /** Of a bypass or of a refusal to store; the cause of a miss. */
  readonly reason: string | undefined;
  readonly durationMs: number | undefined;
  readonly bytes: number | undefined;
}

/** A mark on a table: its regions are in doubt. */
export interface MarkReport {
  readonly table: string;
  readonly writeId: string;
  readonly backendPid: number;
  /** Time that its lease still runs, negative if it has run out. */
  readonly leaseLeftMs: number;
}

export interface TransactionReport {
  readonly backendPid: number;
  readonly application: string;
  /** ISO 8601; `undefined`: the role may not see it. */
  readonly since: string | undefined;
}

/** Everything that keeps reads from the cache at present. */
export interface DoubtReport {
  readonly marks: readonly MarkReport[];
  /** Transactions that have to end before some tables are cached again. */
  readonly awaited: readonly TransactionReport[];
  /** The last epochs that were replaced. */
  readonly epochs: readonly {
    readonly table: string;
    readonly cause: EpochCause;
    readonly atMs: number;
    readonly isSettled: boolean;
  }[];
  readonly relay:
    | {
        readonly state: 'absent' | 'standby' | 'relaying' | 'away';
        readonly backlogRows: number | undefined;
        readonly backlogAgeMs: number | undefined;
        readonly lastLagMs: number | undefined;
        readonly relayedRows: number;
      }
    | undefined;
  readonly triggers: readonly { readonly table: string; readonly state: string }[];
  /** Standing problems with their remedies, as health reports them. */
  readonly problems: readonly string[];
}

export interface AuditReport {
  /** The share of hits that are audited, 0 to 1. */
  readonly share: number;
  readonly compared: number;
  /** In content or headers: another order of rows alone does not count. */
  readonly different: number;
}

export interface InstanceReport {
  /** Random for each start. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly release: string;
  readonly dataSource: string;
  readonly startedAtMs: number;
  readonly atMs: number;
  readonly mode: 'serve' | 'shadow' | 'off';
  readonly health: { readonly status: 'up' | 'degraded'; readonly detail: string | undefined };
  readonly memory: {
    readonly l1Bytes: number;
    readonly l1MaxBytes: number;
    readonly l1Entries: number;
    readonly rssBytes: number;
  };
  readonly outcomes: Outcomes;
  readonly savedMs: number;
  readonly minutes: readonly MinuteCounts[];
  readonly audit: AuditReport;
  /** The 200 busiest queries; the rest is summed under the name `other`. */
  readonly queries: readonly QueryReport[];
  /** The busiest 100. */
  readonly writes: readonly WriteReport[];
  /** The busiest 200. */
  readonly regions: readonly RegionReport[];
  /** The last 100 misses. */
  readonly misses: readonly MissReport[];
  /** The last 100 writes. */
  readonly recentWrites: readonly RecentWrite[];
  readonly doubt: DoubtReport;
}
