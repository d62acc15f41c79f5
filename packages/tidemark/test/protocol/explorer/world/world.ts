/**
 * The world in which the processes run: a Redis for each bucket that may become another, one PostgreSQL, and
 * time. Each next step is one of its choices; between two choices nothing happens.
 */
import type { EntryStore } from '../../../../src/core/ports/entry-store.js';
import { NullEntryStore } from '../../../../src/core/memory/null-entry-store.js';
import type { Reader } from '../actors/reader.js';
import type { Writer } from '../actors/writer.js';
import type { Configuration } from '../configuration.js';
import { Linearizability } from '../linearizability.js';
import { tokenName } from '../tokens.js';
import { OpenFillLock, WorldFillLock } from './fill-locks.js';
import { BUCKET_OF_ENTRIES, ParkedEntryStore, ParkedFillLock } from './parked-ports.js';
import { ParkedVersionStore } from './parked-version-store.js';
import { Postgres, show, type State } from './postgres.js';
import { Process } from './process.js';
import { Redis } from './redis.js';

export class World {
  /** By bucket. */
  readonly servers: readonly Redis[];
  readonly postgres: Postgres;
  readonly linearizability: Linearizability<State>;
  readonly readers: readonly Reader[];
  readonly writers: readonly Writer[];
  /** The readers, then the writers. */
  readonly actors: readonly (Reader | Writer)[];
  readonly processes: readonly Process[];
  readsLeft: number;
  faultsLeft: number;
  /** Counts the steps. */
  turn = 0;
  readonly fillLock = new WorldFillLock();
  #tokens = 0;

  constructor(readonly configuration: Configuration) {
    const { initial, buckets, readers, reads, maxFaults, rules, writers } = configuration;
    this.servers = Array.from({ length: buckets }, (_, bucket) => new Redis(bucket, buckets));
    this.postgres = new Postgres(initial);
    this.linearizability = new Linearizability(this.postgres.states, show);
    this.readsLeft = reads;
    this.faultsLeft = maxFaults;
    this.readers = Array.from({ length: readers }, (_, index) => this.#reader(`R${index + 1}`));
    this.writers = writers.map(
      (plan, index) =>
        new rules.writer({ ...this.#around(`W${index + 1}`), policy: configuration.policy }, plan),
    );
    this.actors = [...this.readers, ...this.writers];
    this.processes = this.actors.map((actor) => actor.process);
  }

  readerAt(index: number): Reader {
    return existing(this.readers[index]);
  }

  writerAt(index: number): Writer {
    return existing(this.writers[index]);
  }

  processAt(index: number): Process {
    return existing(this.processes[index]);
  }

  actorAt(index: number): Reader | Writer {
    return existing(this.actors[index]);
  }

  get faultyServers(): readonly Redis[] {
    return this.configuration.faultyBuckets.map((bucket) => this.serverAt(bucket));
  }

  serverAt(bucket: number): Redis {
    return existing(this.servers[bucket]);
  }

  /** Whether settlement would find something to do. */
  get needsCare(): boolean {
    return this.servers.some(({ present }) => present.needsCare);
  }

  /** A Redis becomes another: every connection to it breaks, and each connected process notices. */
  replaceRedis(bucket: number, replace: (redis: Redis) => void): void {
    replace(this.serverAt(bucket));
    if (!this.configuration.noticesFailures) return;
    for (const reader of this.readers) reader.distrust(bucket);
  }

  /** PostgreSQL ends the transaction of a writer that is gone. */
  abort(writer: Writer): void {
    if (writer.openTransaction) this.postgres.abort(writer.openTransaction);
  }

  /** Resolves when no process can do more without another answer. */
  async rest(): Promise<void> {
    this.turn += 1;
    // All waits here are for promises, and the next tick comes when all have settled.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    for (const one of this.processes) one.rest();
  }

  #reader(name: string): Reader {
    const { rules, keepsEntries, locksFills } = this.configuration;
    const around = this.#around(name);
    return new rules.reader({
      ...around,
      entries: this.#entriesFor(around.process),
      activity: () => rules.activity(this.postgres),
      fillLock: locksFills ? new ParkedFillLock(around.process, this.fillLock) : new OpenFillLock(),
      lockChanges: () => this.fillLock.changes,
      needsCare: () => this.needsCare,
      keepsEntries,
    });
  }

  #entriesFor(process: Process): EntryStore {
    return this.configuration.sharesEntries
      ? new ParkedEntryStore(process, () => this.serverAt(BUCKET_OF_ENTRIES).present.entries)
      : new NullEntryStore();
  }

  #around(name: string): {
    process: Process;
    postgres: Postgres;
    linearizability: Linearizability<State>;
    token: () => string;
    store: ParkedVersionStore;
  } {
    const process = new Process(name, () => this.turn);
    const { buckets, rules } = this.configuration;
    return {
      process,
      postgres: this.postgres,
      linearizability: this.linearizability,
      token: () => tokenName((this.#tokens += 1)),
      store: new ParkedVersionStore(process, buckets, (bucket) =>
        rules.store(this.serverAt(bucket).present, name),
      ),
    };
  }
}

function existing<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('A world went another way than before.');
  return found;
}
