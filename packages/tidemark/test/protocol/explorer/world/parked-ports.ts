/** The ports of the core, each call of which waits for the scheduler. */
import type { Timers } from '../../../../src/core/ports/clock.js';
import { EntryStore, FillLock, type CacheEntry } from '../../../../src/core/ports/entry-store.js';
import {
  VersionStore,
  type MarksReport,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../../../../src/core/ports/version-store.js';
import {
  WriterActivity,
  type WritingTransaction,
} from '../../../../src/core/ports/writer-activity.js';
import type { Process } from './process.js';

export class ParkedVersionStore extends VersionStore {
  constructor(
    private readonly process: Process,
    /** The store of the server that answers now. */
    private readonly present: () => VersionStore,
  ) {
    super();
  }

  override read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    return this.#send('reads versions', (store) => store.read(tables));
  }

  override create(versions: TableVersionNames, token: string): Promise<TableReading> {
    return this.#send('creates versions', (store) => store.create(versions, token));
  }

  override begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    return this.#send('begin', (store) => store.begin(mark, token, leaseMs));
  }

  override end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    return this.#send('end', (store) => store.end(writeId, tables, token));
  }

  override abort(writeId: string, tables: readonly string[]): Promise<void> {
    return this.#send('abort', (store) => store.abort(writeId, tables));
  }

  override inspect(versions: TableVersionNames): Promise<MarksReport> {
    return this.#send('inspects the marks', (store) => store.inspect(versions));
  }

  override settle(table: string, writeId: string, token: string): Promise<boolean> {
    return this.#send('settles a mark', (store) => store.settle(table, writeId, token));
  }

  override renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void> {
    return this.#send('renews a lease', (store) =>
      store.renew(table, writeId, transactionId, leaseMs),
    );
  }

  override tables(): Promise<readonly string[]> {
    return this.#send('asks for the tables', (store) => store.tables());
  }

  override rotate(table: string, observed: string | undefined, token: string): Promise<boolean> {
    return this.#send('replaces the epoch', (store) => store.rotate(table, observed, token));
  }

  override settleEpoch(table: string, observed: string): Promise<boolean> {
    return this.#send('ends the settling', (store) => store.settleEpoch(table, observed));
  }

  #send<T>(label: string, effect: (store: VersionStore) => Promise<T>): Promise<T> {
    return this.process.call('redis', label, () => effect(this.present()));
  }
}

export class ParkedEntryStore extends EntryStore {
  constructor(
    private readonly process: Process,
    private readonly present: () => Map<string, CacheEntry>,
  ) {
    super();
  }

  override get(key: string): Promise<CacheEntry | undefined> {
    return this.process.call('redis', 'looks for the entry', () => this.present().get(key), {
      show: (entry) => (entry ? `${entry.stamp}|${entry.body.toString()}` : 'none'),
    });
  }

  override set(key: string, entry: CacheEntry): Promise<void> {
    return this.process.call('redis', 'stores the entry', () => {
      this.present().set(key, entry);
    });
  }
}

export class ParkedFillLock extends FillLock {
  constructor(
    private readonly process: Process,
    private readonly lock: FillLock,
  ) {
    super();
  }

  override acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
    return this.process.call('redis', 'tries the lock', () =>
      this.lock.acquire(key, owner, leaseMs),
    );
  }

  override release(key: string, owner: string): Promise<void> {
    return this.process.call('redis', 'gives the lock back', () => this.lock.release(key, owner));
  }
}

export class ParkedActivity extends WriterActivity {
  constructor(
    private readonly process: Process,
    private readonly present: () => WriterActivity,
  ) {
    super();
  }

  override writers(): Promise<ReadonlyMap<number, WritingTransaction>> {
    return this.process.call('postgres', 'asks who is writing', () => this.present().writers(), {
      show: (writers) => [...writers].map(([pid, { id }]) => `${pid} ${id}`).join(),
    });
  }
}

/** Timers that run out when the scheduler says so. */
export class ParkedTimers implements Timers {
  constructor(
    private readonly process: Process,
    private readonly label: string,
    /** Returns whether the wait may have ended by now. */
    private readonly watch: () => () => boolean = () => () => true,
  ) {}

  after(_delayMs: number, then: () => void): () => void {
    const label = this.process.freeLabel(this.label);
    const hasReason = this.watch();
    void this.process.call('time', label, () => undefined, { isReady: hasReason }).then(then);
    return () => this.process.cancel(label);
  }
}
