/** The ports of the core, each call of which waits for the scheduler; parked-version-store.ts has another one. */
import type { Timers } from '../../../../src/core/ports/clock.js';
import { EntryStore, FillLock, type CacheEntry } from '../../../../src/core/ports/entry-store.js';
import {
  WriterActivity,
  type WritingTransaction,
} from '../../../../src/core/ports/writer-activity.js';
import type { Process } from './process.js';

/** The bucket whose server has the entries and the locks of fills. */
export const BUCKET_OF_ENTRIES = 0;

export class ParkedEntryStore extends EntryStore {
  constructor(
    private readonly process: Process,
    private readonly present: () => Map<string, CacheEntry>,
  ) {
    super();
  }

  override get(key: string): Promise<CacheEntry | undefined> {
    return this.process.call(
      BUCKET_OF_ENTRIES,
      'looks for the entry',
      () => this.present().get(key),
      {
        show: (entry) => (entry ? `${entry.stamp}|${entry.body.toString()}` : 'none'),
      },
    );
  }

  override set(key: string, entry: CacheEntry): Promise<void> {
    return this.process.call(BUCKET_OF_ENTRIES, 'stores the entry', () => {
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
    return this.process.call(BUCKET_OF_ENTRIES, 'tries the lock', () =>
      this.lock.acquire(key, owner, leaseMs),
    );
  }

  override release(key: string, owner: string): Promise<void> {
    return this.process.call(BUCKET_OF_ENTRIES, 'gives the lock back', () =>
      this.lock.release(key, owner),
    );
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
