/**
 * Brings what the outbox says to the version store.
 *
 * Of all instances one relays, the one that has an advisory lock. It reads the oldest rows, replaces the
 * versions they name, and only then removes them: a relay that dies in between leaves them to the next,
 * which replaces the versions once more. It listens for what is added, and looks by itself now and then.
 *
 * Who has not got the lock looks whether the outbox moves. A relay that has the lock and does nothing (its
 * process was stopped, its machine hangs) loses its session, and with it the lock. Until it has lost it, or
 * where its session cannot be ended, the others relay without the lock: a row that two of them tell costs
 * fills, and none is removed before it was told. A relay that cannot reach the version store gives the lock
 * up by itself.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { CacheEvents, DatabaseSchema } from '../../query-cache/index.js';
import type { WriteProtocol } from '../core/write-protocol.js';
import { sqlStateOf } from '../../query-cache/core/sql-state.js';
import { grantStatements, outboxStatements } from './capture-sql.js';
import type { OutboxObjects } from './outbox-objects.js';
import {
  FIRST_ID,
  OutboxSession,
  type Backlog,
  type LockHolder,
  type OutboxAccess,
} from './outbox-session.js';
import type { RecordingChanges } from './recording-changes.js';
import { touchedByRecords } from './touched-by-record.js';

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
/** Shortest pause between two looks whether the triggers were changed. */
const RECORDING_MS = 500;
const INSUFFICIENT_PRIVILEGE = '42501';
/** Pause between two measurements of the backlog. */
const MEASURE_MS = 5_000;

/**
 * `absent`: there is no outbox that the role may use. `standby`: another instance relays. `away`: the database or the version
 * store cannot be reached.
 */
export type RelayState = 'absent' | 'standby' | 'relaying' | 'away';

export interface RelayLog {
  log(message: string): void;
  warn(message: string): void;
}

export interface RelayParts {
  readonly connectionOf: () => pg.ClientConfig;
  readonly objects: OutboxObjects;
  readonly schema: DatabaseSchema;
  readonly protocol: WriteProtocol;
  readonly recording: RecordingChanges;
  readonly events: CacheEvents;
  readonly log: RelayLog;
  /** Writes that cannot be announced are put into the outbox, and are refused without one. */
  readonly isNeeded: boolean;
}

export class OutboxRelay {
  #state: RelayState = 'away';
  /** What it costs that the role may not use the outbox; `undefined`: nothing. */
  #lacking: string | undefined;
  #measuredAtMs = -Infinity;
  #lookedAtMs = -Infinity;
  #backlog: Backlog = { rows: 0, ageMs: 0 };
  #running: Promise<void> | undefined;
  /** Has the lock and was found not to relay. */
  #hung: LockHolder | undefined;
  /** Why it does not relay, as the log has said. */
  #warnedOf: string | undefined;
  readonly #closing = new AbortController();

  constructor(private readonly parts: RelayParts) {}

  get state(): RelayState {
    return this.#state;
  }

  /** Whether another session has the lock of the relay and does not relay. */
  get isLockStuck(): boolean {
    return this.#hung !== undefined;
  }

  /** What is not as it should be, and the remedy; `undefined`: nothing, as far as it is known. */
  get problem(): string | undefined {
    if (this.#lacking !== undefined) return `${this.#lacking}. The log has the SQL`;
    if (!this.#hung) return undefined;
    return (
      'Writes from outside the service are seen late: a session that does not relay has the lock of the ' +
      `relay. End it: SELECT pg_terminate_backend(${this.#hung.pid})`
    );
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
        session = await OutboxSession.open(this.parts.connectionOf(), this.parts.objects);
        await this.#attend(session);
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        const { message } = error as Error;
        if (message !== this.#warnedOf) {
          this.parts.log.warn(`The outbox is not relayed by this instance: ${message}`);
        }
        this.#warnedOf = message;
        this.#state = 'away';
        await this.#pause(RETRY_MS);
      } finally {
        await session?.close();
      }
    }
  }

  async #attend(session: OutboxSession): Promise<void> {
    for (;;) {
      const access = await session.access();
      if (access.isUsable) break;
      this.#lack(access);
      // An outbox that was taken away took along what had not been relayed.
      await this.#lookAtRecording(session);
      await this.#pause(INSTALLED_MS);
      if (this.#closing.signal.aborted) return;
    }
    this.#lacking = undefined;
    await this.#awaitLock(session);
    if (this.#closing.signal.aborted) return;
    // One that cannot reach the version store leaves the lock to another.
    await this.parts.recording.look(session, true);
    this.#state = 'relaying';
    this.parts.log.log('Relays writes from outside the service');
    await session.listen();
    const lookMs = (await session.canPrepare()) ? LOOK_FOR_PREPARED_MS : LOOK_MS;
    while (!this.#closing.signal.aborted) {
      await this.#relay(session);
      await session.notified(lookMs, this.#closing.signal);
    }
  }

  #lack({ role, exists }: OutboxAccess): void {
    const { objects, isNeeded, log } = this.parts;
    const effects = [
      ...(exists ? ['writes from outside the service are not seen'] : []),
      ...(isNeeded ? ['while Redis cannot be reached, writes are refused'] : []),
    ];
    const lacking =
      effects.length === 0
        ? undefined
        : `There is no outbox that the role of the service may use: ${effects.join('; ')}`;
    if (lacking !== undefined && lacking !== this.#lacking) {
      const statements = [...outboxStatements(objects), ...grantStatements(role, objects)];
      log.warn(`${lacking}. Let the owner of the database run this:\n${statements.join(';\n')};`);
    }
    this.#lacking = lacking;
    this.#state = 'absent';
  }

  async #awaitLock(session: OutboxSession): Promise<void> {
    let oldest: string | undefined;
    let looks = 0;
    while (!this.#closing.signal.aborted && !(await session.tryLock())) {
      this.#state = 'standby';
      const now = await session.oldestId();
      looks = now !== undefined && now === oldest ? looks + 1 : 0;
      oldest = now;
      if (this.#hung && (await session.holder())?.pid !== this.#hung.pid) this.#hung = undefined;
      if (!this.#hung && looks >= PATIENCE_LOOKS) {
        await this.#dismissHolder(session);
        looks = 0;
      }
      if (this.#hung) await this.#relay(session);
      else {
        // The relay that has the lock may be one that does nothing.
        await this.#lookAtRecording(session);
        await this.#measure(session);
      }
      await this.#pause(STANDBY_MS);
    }
    this.#hung = undefined;
  }

  /** Ends the session of a relay that has the lock and does nothing with it, where that is allowed. */
  async #dismissHolder(session: OutboxSession): Promise<void> {
    this.#hung = await session.holder();
    if (!this.#hung) return;
    const { pid, role } = this.#hung;
    const who = `process ${pid} of role ${role ?? 'unknown'}`;
    try {
      await session.terminate(this.#hung);
      this.parts.log.warn(`The relay has not moved: its session (${who}) was ended`);
    } catch (error) {
      if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      this.parts.log.warn(
        `Writes from outside the service are seen late: ${who} has the lock of the relay and does not ` +
          `relay, and this role may not end its session. This instance relays without the lock, every ` +
          `${STANDBY_MS} ms. Run as a superuser: SELECT pg_terminate_backend(${pid})`,
      );
    }
  }

  async #relay(session: OutboxSession): Promise<void> {
    await this.#drain(session);
    await this.#lookAtRecording(session);
    await this.#measure(session);
    this.#warnedOf = undefined;
  }

  async #lookAtRecording(session: OutboxSession): Promise<void> {
    if (performance.now() - this.#lookedAtMs < RECORDING_MS) return;
    await this.parts.recording.look(session);
    this.#lookedAtMs = performance.now();
  }

  /** Until nothing is left, but what somebody else holds. */
  async #drain(session: OutboxSession): Promise<void> {
    const { protocol, events, schema } = this.parts;
    let afterId = FIRST_ID;
    for (;;) {
      const records = await session.next(afterId, BATCH_ROWS);
      const last = records.at(-1);
      if (!last) return;
      afterId = last.id;
      const readAtMs = performance.now();
      const touched = await touchedByRecords(records, schema);
      // Then nothing that waits can say more: after an outage every write has left such a row.
      const ids = touched === 'schema' ? await session.ids() : records.map(({ id }) => id);
      await protocol.tell(touched, session.backendPid);
      const ageMs = records.reduce((most, record) => Math.max(most, record.ageMs), 0);
      const lagMs = ageMs + performance.now() - readAtMs;
      events.tell('relayed', { rows: ids.length, lagMs });
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

  async #pause(durationMs: number): Promise<void> {
    const { signal } = this.#closing;
    await pause(durationMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
