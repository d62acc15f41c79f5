/**
 * Reads and writes of one register by the protocol of the core, over the stores of instances: the database is a number
 * in this process. A read fails if it is answered with an older number than the last one committed before it.
 */
import { FreshnessGate } from '../../src/core/freshness-gate.js';
import { CacheEvents } from '../../src/core/ports/cache-events.js';
import { backgroundTimers, systemClock } from '../../src/core/ports/clock.js';
import type { WriterActivity, WritingTransaction } from '../../src/core/ports/writer-activity.js';
import { Settlement } from '../../src/core/settlement.js';
import { randomToken } from '../../src/core/versions.js';
import type { ClusterInstance } from './cluster-harness.js';

const LEASE_MS = 60_000;

type Outcome = 'hit' | 'fill' | 'bypass';

/** A row that all instances read and write. */
export class Register {
  #committed = 0;
  readonly #stored = new Map<string, number>();
  readonly #open = new Map<number, WritingTransaction>();
  readonly #dependencies;
  #nextPid = 1;
  readonly gates = new Map<ClusterInstance, FreshnessGate>();

  constructor(
    private readonly table: string,
    private readonly name = 'id=1',
  ) {
    this.#dependencies = [{ table, names: [name, 'id?'] }];
  }

  /** Adds an instance before its first read. */
  join(instance: ClusterInstance): void {
    const activity: WriterActivity = { writers: async () => new Map(this.#open) };
    const store = instance.versions;
    const parts = { store, activity, events: new CacheEvents(), token: randomToken };
    const settlement = new Settlement(
      { ...parts, clock: systemClock, timers: backgroundTimers },
      { leaseMs: LEASE_MS, pollMs: 5, maxPollMs: 20, waitMs: 100 },
    );
    const schema = { isOfVersion: () => true };
    const gate = new FreshnessGate({ store, settlement, schema, token: randomToken });
    this.gates.set(instance, gate);
    instance.stores.onOutage((bucket) => gate.distrust(bucket));
    instance.stores.onRecovery((bucket) => void gate.checkSchema(bucket));
  }

  async read(instance: ClusterInstance): Promise<Outcome> {
    const committed = this.#committed;
    const freshness = await this.gates.get(instance)?.check(this.#dependencies);
    if (!freshness?.trusted) return 'bypass';
    const { text } = freshness.stamp;
    const stored = this.#stored.get(text);
    if (stored !== undefined) {
      if (stored < committed) throw new Error(`A hit under ${text} is ${stored}, not ${committed}`);
      return 'hit';
    }
    this.#stored.set(text, this.#committed);
    return 'fill';
  }

  /** Reads until the answer is a hit. */
  async isCached(instance: ClusterInstance): Promise<void> {
    for (;;) if ((await this.read(instance)) === 'hit') return;
  }

  /** Rejects, and changes nothing, if the write cannot be published. */
  async write(instance: ClusterInstance): Promise<void> {
    const { table, name } = this;
    const pid = this.#nextPid++;
    const writeId = randomToken();
    this.#open.set(pid, { id: String(pid), application: 'model', since: undefined });
    const tables = [{ table, names: ['*', name] }];
    try {
      const mark = { writeId, backendPid: pid, tables };
      await instance.versions.begin(mark, randomToken(), LEASE_MS);
      this.#committed += 1;
    } finally {
      this.#open.delete(pid);
    }
    await instance.versions.end(writeId, [table], randomToken()).catch(() => undefined);
  }
}
