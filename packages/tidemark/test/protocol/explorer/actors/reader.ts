/** A process that reads: the whole read side of the core over parked ports. */
import { CacheEvents } from '../../../../src/core/ports/cache-events.js';
import type { Clock } from '../../../../src/core/ports/clock.js';
import type { ReadSet } from '../../../../src/core/read-set.js';
import type {
  CacheEntry,
  EntryStore,
  FillLock,
  LocalEntries,
} from '../../../../src/core/ports/entry-store.js';
import { DistributedSingleFlight } from '../../../../src/core/distributed-single-flight.js';
import { FreshnessGate } from '../../../../src/core/freshness-gate.js';
import { ReadProtocol } from '../../../../src/core/read-protocol.js';
import type { Answer } from '../../../../src/core/read-request.js';
import { Settlement } from '../../../../src/core/settlement.js';
import type { TokenSource } from '../../../../src/core/versions.js';
import type { VersionStore } from '../../../../src/core/ports/version-store.js';
import type { WriterActivity } from '../../../../src/core/ports/writer-activity.js';
import type { Linearizability } from '../linearizability.js';
import { ParkedActivity, ParkedTimers } from '../world/parked-ports.js';
import type { Postgres, State } from '../world/postgres.js';
import type { Process } from '../world/process.js';

/** A query as the read side sees it after compilation. */
export interface Query {
  readonly name: string;
  readonly dependencies: ReadSet;
  /** The keys of the rows it answers with. */
  readonly rowsOf: (state: State) => readonly number[];
}

export interface ReaderSurroundings {
  readonly process: Process;
  readonly postgres: Postgres;
  readonly linearizability: Linearizability<State>;
  readonly token: TokenSource;
  readonly store: VersionStore;
  readonly entries: EntryStore;
  readonly activity: () => WriterActivity;
  readonly fillLock: FillLock;
  /** Whether settlement would find something to do. */
  readonly needsCare: () => boolean;
  readonly keepsEntries: boolean;
  /** The number of releases of the fill lock. */
  readonly lockChanges: () => number;
}

const NOTHING_RUNS_OUT: Clock = { nowMs: () => 0 };
const LEASE_MS = 1_000;
const WAIT_MS = 2;

/** Entries in this process; kept only where the configuration asks for it. */
class LocalMap implements LocalEntries<CacheEntry> {
  readonly kept = new Map<string, CacheEntry>();

  constructor(private readonly keeps: boolean) {}

  get(key: string): CacheEntry | undefined {
    return this.kept.get(key);
  }

  set(key: string, entry: CacheEntry): CacheEntry {
    if (this.keeps) this.kept.set(key, entry);
    return entry;
  }
}

export class Reader {
  readonly process: Process;
  protected readonly gate: FreshnessGate;
  readonly #protocol: ReadProtocol<CacheEntry>;
  readonly #settlement: Settlement;
  readonly #local: LocalMap;
  /** Known when the read under way began. */
  #floor = 0;

  constructor(protected readonly around: ReaderSurroundings) {
    const { process, store, token, postgres } = around;
    this.process = process;
    const events = new CacheEvents();
    const polls = new ParkedTimers(
      process,
      'asks again',
      onceChanged(() => postgres.activityChanges),
    );
    const waits = new ParkedTimers(process, 'has waited enough');
    this.#settlement = new Settlement(
      {
        store,
        activity: new ParkedActivity(process, around.activity),
        events,
        token,
        clock: this.#careClock(),
        timers: {
          after: (delayMs, then) => (delayMs === WAIT_MS ? waits : polls).after(delayMs, then),
        },
      },
      { leaseMs: LEASE_MS, pollMs: 1, maxPollMs: 1, waitMs: WAIT_MS },
    );
    const settlement = this.#settlement;
    const schema = { isOfVersion: () => true };
    this.gate = this.gateOver(new FreshnessGate({ store, settlement, schema, token }));
    this.#local = new LocalMap(around.keepsEntries);
    this.#protocol = new ReadProtocol(
      {
        gate: this.gate,
        local: this.#local,
        fills: new DistributedSingleFlight(
          {
            entries: around.entries,
            lock: around.fillLock,
            owner: process.name,
            clock: NOTHING_RUNS_OUT,
            timers: new ParkedTimers(process, 'looks again', onceChanged(around.lockChanges)),
            onStoreFailure: () => undefined,
          },
          { leaseMs: LEASE_MS, maxWaitMs: 1, pollMs: 1 },
        ),
        toEntry: (entry) => entry,
        bodyBytesOf: ({ body }) => body.length,
        regionNames: (tables) => tables,
        tagOf: (bytes) => bytes.toString(),
        wallClock: NOTHING_RUNS_OUT,
        monotonicClock: NOTHING_RUNS_OUT,
        timers: waits,
        events,
      },
      {
        maxStalenessMs: 0,
        maxEntryBytes: 1_000,
        unknownKeysPerMinute: 1_000,
        maxWaiters: 9,
        maxWaitMs: 1,
      },
    );
  }

  get isIdle(): boolean {
    return !this.process.isBusy && !this.process.isCrashed;
  }

  /** Starts a read; what it sends waits for the scheduler. */
  start(query: Query): void {
    const { process, linearizability } = this.around;
    this.#floor = linearizability.floor;
    const floor = this.#floor;
    const { shocks } = process;
    const operation = process.begin(query.name);
    void this.#protocol
      .read({
        query: query.name,
        key: query.name,
        dependencies: query.dependencies,
        run: () => this.run(query),
        ttlMs: () => Infinity,
      })
      .then((outcome) => {
        const { body } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
        if (outcome.source !== 'bypass') {
          for (const bucket of this.#bucketsOf(query)) process.overcame(bucket, shocks);
        }
        const how = outcome.source === 'bypass' ? outcome.reason : outcome.source;
        linearizability.answered({
          reader: `${process.name} (${query.name}, ${how})`,
          answer: body.toString(),
          answerOf: (state) => bodyOfAnswer(query, state),
          floor,
        });
      })
      .finally(() => operation.end());
  }

  /** An outage of the bucket was noticed. */
  distrust(bucket: number): void {
    this.process.shock(bucket);
    this.gate.distrust(bucket);
  }

  /** The state that the process keeps while at rest. */
  describe(): string {
    const entries = [...this.#local.kept].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const kept = entries.map(([key, { stamp, body }]) => `${key}{${stamp}|${body.toString()}}`);
    const waits = [...this.#settlement.epochs.waits].map(([epoch, { pending, isLate }]) => {
      const writers = [...pending].map(([pid, { id }]) => `${pid} ${id}`);
      return `${epoch} ${isLate} ${writers.join()}`;
    });
    return [this.process.isBusy ? this.#floor : '', ...kept, ...waits].join('\n');
  }

  protected gateOver(gate: FreshnessGate): FreshnessGate {
    return gate;
  }

  protected run(query: Query): Promise<Answer> {
    const { process, postgres } = this.around;
    return process.call('postgres', 'SELECT', () => answerOf(query, postgres.now), {
      show: ({ body }) => body.toString(),
    });
  }

  #bucketsOf({ dependencies: { tables } }: Query): ReadonlySet<number> {
    return new Set(tables.map(({ table }) => this.around.store.bucketOf(table)));
  }

  /**
   * Settlement checks marks at most once in a period. Here it checks whenever it would find
   * something, and never in vain.
   */
  #careClock(): Clock {
    let lateMs = 0;
    return { nowMs: () => (this.around.needsCare() ? (lateMs += 1_000_000) : -1) };
  }
}

/** Ready once the count has changed: before that, a query would return the same. */
function onceChanged(count: () => number): () => () => boolean {
  return () => {
    const then = count();
    return () => count() !== then;
  };
}

function answerOf(query: Query, state: State): Answer {
  const rowCount = query.rowsOf(state).length;
  return {
    body: Buffer.from(bodyOfAnswer(query, state)),
    rowCount,
    empty: rowCount === 0,
    headers: {},
  };
}

function bodyOfAnswer(query: Query, state: State): string {
  const rows = query.rowsOf(state).map((key) => `${key}=${state.get(key)?.value}`);
  return `[${rows.join(' ')}]`;
}
