/**
 * Brings what the outbox says to the version store.
 *
 * Of all instances one relays, the one that has an advisory lock. It reads the oldest rows, replaces the
 * versions they name, and only then removes them: a relay that dies in between leaves them to the next,
 * which replaces the versions once more. It listens for what is added, and looks by itself now and then.
 *
 * Who has not got the lock looks whether the outbox moves. A relay that has the lock and does nothing (its
 * process was stopped, its machine hangs) loses its session, and with it the lock. One that cannot reach
 * the version store gives the lock up by itself.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { mergeTouched, type TouchedTable } from '../../query-cache/core/touched-regions.js';
import type { CacheEvents, DatabaseSchema } from '../../query-cache/index.js';
import type { TouchedVersions, WriteProtocol } from '../core/write-protocol.js';
import { sqlStateOf } from '../../query-cache/core/sql-state.js';
import { versionNames } from '../touched-tables.js';
import type { OutboxObjects } from './outbox-objects.js';
import type { OutboxRecord } from './outbox-record.js';
import { OutboxSession, type Backlog, type LockHolder } from './outbox-session.js';
import { touchedByRecord } from './touched-by-record.js';

/** Rows read at once. */
const BATCH_ROWS = 1_000;
/** Pause between two looks for rows that nobody has notified of. */
const LOOK_MS = 1_000;
/** The same where transactions can be prepared: whoever commits one of those notifies nobody. */
const LOOK_FOR_PREPARED_MS = 50;
/** Pause between two attempts to get the lock. */
const STANDBY_MS = 500;
/** A relay that has not moved for so many of those pauses while there are rows is dismissed. */
const PATIENCE_LOOKS = 4;
/** Pause before another attempt after a failure. */
const RETRY_MS = 500;
/** Pause between two looks whether there is an outbox by now. */
const INSTALLED_MS = 1_000;
const INSUFFICIENT_PRIVILEGE = '42501';
/** Pause between two measurements of the backlog. */
const MEASURE_MS = 5_000;

/**
 * `absent`: there is no outbox. `standby`: another instance relays. `away`: the database or the version
 * store cannot be reached.
 */
export type RelayState = 'absent' | 'standby' | 'relaying' | 'away';

export interface RelayLog {
  log(message: string): void;
  warn(message: string): void;
}

export class OutboxRelay {
  #state: RelayState = 'away';
  #isInstalled = false;
  #measuredAtMs = -Infinity;
  #backlog: Backlog = { rows: 0, ageMs: 0 };
  #running: Promise<void> | undefined;
  /** The process that holds the lock and cannot be ended, as the log has said. */
  #reported: LockHolder['pid'] | undefined;
  readonly #closing = new AbortController();

  constructor(
    private readonly connectionOf: () => pg.ClientConfig,
    private readonly objects: OutboxObjects,
    private readonly schema: DatabaseSchema,
    private readonly protocol: WriteProtocol,
    private readonly events: CacheEvents,
    private readonly log: RelayLog,
  ) {}

  get state(): RelayState {
    return this.#state;
  }

  /** Whether there is an outbox, as far as this process knows. */
  get isInstalled(): boolean {
    return this.#isInstalled;
  }

  /** As measured last, also while another instance relays; `undefined` where it cannot be measured. */
  get backlog(): Backlog | undefined {
    const isMeasured = this.#state === 'relaying' || this.#state === 'standby';
    return isMeasured ? this.#backlog : undefined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let session: OutboxSession | undefined;
      try {
        session = await OutboxSession.open(this.connectionOf(), this.objects);
        await this.#attend(session);
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        if (this.#state !== 'away') {
          this.log.warn(`The outbox is not relayed by this instance: ${(error as Error).message}`);
        }
        this.#state = 'away';
        await this.#pause(RETRY_MS);
      } finally {
        await session?.close();
      }
    }
  }

  async #attend(session: OutboxSession): Promise<void> {
    while (!(await session.isInstalled())) {
      this.#state = 'absent';
      await this.#pause(INSTALLED_MS);
      if (this.#closing.signal.aborted) return;
    }
    this.#isInstalled = true;
    await this.#awaitLock(session);
    if (this.#closing.signal.aborted) return;
    this.#state = 'relaying';
    this.log.log('Relays writes from outside the service');
    await session.listen();
    const lookMs = (await session.canPrepare()) ? LOOK_FOR_PREPARED_MS : LOOK_MS;
    while (!this.#closing.signal.aborted) {
      await this.#drain(session);
      await this.#measure(session);
      await session.notified(lookMs, this.#closing.signal);
    }
  }

  async #awaitLock(session: OutboxSession): Promise<void> {
    let oldest: string | undefined;
    let looks = 0;
    this.#reported = undefined;
    while (!this.#closing.signal.aborted && !(await session.tryLock())) {
      this.#state = 'standby';
      const now = await session.oldestId();
      looks = now !== undefined && now === oldest ? looks + 1 : 0;
      oldest = now;
      if (looks >= PATIENCE_LOOKS) {
        await this.#dismissHolder(session);
        looks = 0;
      }
      await this.#measure(session);
      await this.#pause(STANDBY_MS);
    }
  }

  /** Ends the session of a relay that has the lock and does nothing with it, where that is allowed. */
  async #dismissHolder(session: OutboxSession): Promise<void> {
    const holder = await session.holder();
    if (!holder) return;
    const who = `process ${holder.pid} of role ${holder.role ?? 'unknown'}`;
    try {
      await session.terminate(holder);
      this.log.warn(`The relay has not moved: its session (${who}) was ended`);
    } catch (error) {
      if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      if (this.#reported === holder.pid) return;
      this.#reported = holder.pid;
      this.log.warn(
        `Writes from outside the service are not seen: ${who} holds the lock of the relay and does ` +
          `not relay, and this role may not end its session. Run as a superuser: ` +
          `SELECT pg_terminate_backend(${holder.pid})`,
      );
    }
  }

  /** Until nothing is left. */
  async #drain(session: OutboxSession): Promise<void> {
    for (;;) {
      const records = await session.next(BATCH_ROWS);
      if (records.length === 0) return;
      const readAtMs = performance.now();
      const touched = await this.#touchedBy(records);
      // Then nothing that waits can say more: after an outage every write has left such a row.
      const ids = touched === 'schema' ? await session.ids() : records.map(({ id }) => id);
      await this.protocol.tell(touched, session.backendPid);
      const ageMs = records.reduce((most, record) => Math.max(most, record.ageMs), 0);
      const lagMs = ageMs + performance.now() - readAtMs;
      this.events.tell('relayed', { rows: ids.length, lagMs });
      await session.remove(ids);
      if (records.length < BATCH_ROWS || this.#closing.signal.aborted) return;
      await this.#measure(session);
      await nextTurn();
    }
  }

  async #measure(session: OutboxSession): Promise<void> {
    if (performance.now() - this.#measuredAtMs < MEASURE_MS) return;
    this.#backlog = await session.backlog();
    this.#measuredAtMs = performance.now();
  }

  async #touchedBy(records: readonly OutboxRecord[]): Promise<TouchedVersions> {
    if (this.schema.isOutdated) await this.schema.load();
    const { catalogue } = this.schema;
    const touched = new Map<string, TouchedTable>();
    let [isAnything, isSchema] = [false, false];
    for (const record of records) {
      const tables = touchedByRecord(record, catalogue);
      if (typeof tables === 'string') {
        isAnything = true;
        isSchema ||= tables === 'schema';
        continue;
      }
      for (const part of tables) {
        const before = touched.get(part.table);
        touched.set(part.table, before ? mergeTouched(before, part) : part);
      }
    }
    if (isSchema) this.schema.markOutdated();
    if (isAnything) return isSchema ? 'schema' : 'anything';
    return (await this.schema.isPresent()) ? versionNames(touched) : 'anything';
  }

  async #pause(durationMs: number): Promise<void> {
    const { signal } = this.#closing;
    await pause(durationMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
