/**
 * Publishes the rows of the outbox to the version store.
 *
 * One instance relays: the one that holds an advisory lock. It reads the oldest rows, replaces the versions that they
 * name, and only then removes them: if it dies in between, the next relay finds the rows and replaces the versions once
 * more. It listens for new rows, and also polls for them.
 *
 * An instance without the lock polls whether the outbox makes progress. If it does not, the session that holds the lock
 * does not relay, and the other instances relay without the lock: a row that two of them publish costs fills, and no
 * row is removed before it was published. The server ends the session of an idle relay (its process was stopped, its
 * machine hangs), which releases the lock. A relay that cannot reach the version store releases the lock itself.
 *
 * If the relay reaches only some buckets of the store, it publishes there, and leaves one row for each of the others. It
 * releases the lock now and then, since another instance may reach them.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { schemaIn } from '../../core/schema-version.js';
import type { CaptureParts } from './capture-parts.js';
import { grantStatements, outboxStatements } from './capture-sql.js';
import { writtenByRecords, type OutboxRecord } from './captured-writes.js';
import {
  FIRST_ID,
  OutboxSession,
  RELAY_LOCK,
  type Backlog,
  type OutboxAccess,
} from './outbox-session.js';
import type { RecordingChanges } from './recording-changes.js';

/** Rows per read. */
const BATCH_ROWS = 1_000;
/** Pause between two polls for rows that came without a notification. */
const LOOK_MS = 1_000;
/** Pause between two attempts to take the lock. */
const STANDBY_MS = 500;
/** A relay that does not reach every bucket of the version store keeps the lock for this time. */
const PARTIAL_MS = 5_000;
const SEEN_LATE =
  'Writes from outside the service are seen late: a session that does not relay has the lock of the relay. End it: ' +
  `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = ${RELAY_LOCK}`;
/** After this many such pauses without progress, while there are rows, the lock counts as stuck. */
const PATIENCE_LOOKS = 4;
/** Pause before another attempt after a failure. */
const RETRY_MS = 500;
/** Pause between two checks whether the outbox exists. */
const INSTALLED_MS = 1_000;
/** Shortest pause between two checks for changed triggers and for the number of waiting rows. */
const SURVEY_MS = 500;

/**
 * `absent`: there is no outbox that the role may use. `standby`: another instance relays. `away`: the database or the
 * version store is unreachable.
 */
export type RelayState = 'absent' | 'standby' | 'relaying' | 'away';

interface RelayParts extends CaptureParts {
  /** Options of a connection beside the pool; known once the data source is initialised. */
  readonly connection: () => pg.ClientConfig;
  readonly recording: RecordingChanges;
  /** Writes that cannot be published go into the outbox, and are refused without one. */
  readonly isNeeded: boolean;
}

/** Publishes writes from outside the application; its state is for health and metrics. */
export class OutboxRelay {
  #state: RelayState = 'absent';
  /** The effects of an outbox that the role may not use; `undefined`: none. */
  #lacking: string | undefined;
  #surveyedAtMs = -Infinity;
  /** The schema's tables in the buckets that this instance does not reach, while it reaches others: rows wait for them. */
  #missed: ReadonlySet<string> = new Set();
  #missedAtMs = -Infinity;
  #backlog: Backlog = { rows: 0, ageMs: 0 };
  #running: Promise<void> | undefined;
  #session: OutboxSession | undefined;
  /** The session that holds the lock without relaying, with the time of its last statement. */
  #hungHolder: unknown;
  /** The last logged reason why it does not relay. */
  #warnedOf: string | undefined;
  readonly #closing = new AbortController();

  constructor(private readonly parts: RelayParts) {}

  get state(): RelayState {
    return this.#state;
  }

  /** Whether another session holds the relay's lock without relaying. */
  get isLockStuck(): boolean {
    return this.#hungHolder !== undefined;
  }

  /** The problem and its remedy; `undefined`: none is known. */
  get problem(): string | undefined {
    if (this.#lacking !== undefined) return `${this.#lacking}. The log has the SQL`;
    return this.isLockStuck ? SEEN_LATE : undefined;
  }

  /** The last measurement, also while another instance relays; `undefined` if it cannot be measured. */
  get backlog(): Backlog | undefined {
    const isMeasured = this.#state === 'relaying' || this.#state === 'standby';
    return isMeasured ? this.#backlog : undefined;
  }

  start(): void {
    this.#state = 'away';
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#session?.wake();
    await this.#running;
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      try {
        const { connection, objects } = this.parts;
        this.#session = await OutboxSession.open(connection(), objects);
        await this.#attend(this.#session);
      } catch (error) {
        if (this.#isClosing) break;
        const { message } = error as Error;
        if (message !== this.#warnedOf) {
          this.parts.log.warn(`The outbox is not relayed by this instance: ${message}`);
        }
        this.#warnedOf = message;
        this.#state = 'away';
        await this.#pause(RETRY_MS);
      } finally {
        await this.#session?.close();
        this.#session = undefined;
      }
      // Another instance may reach what this one does not.
      if (this.#missed.size > 0) await this.#pause(2 * STANDBY_MS);
    }
  }

  async #attend(session: OutboxSession): Promise<void> {
    for (;;) {
      const access = await session.access();
      if (access.isUsable) break;
      this.#lack(access);
      // Rows that were not relayed are lost with a dropped outbox.
      await this.parts.recording.check(session);
      await this.#pause(INSTALLED_MS);
      if (this.#isClosing) return;
    }
    this.#lacking = undefined;
    await this.#awaitLock(session);
    if (this.#isClosing) return;
    // A relay that cannot reach the version store leaves the lock to another instance.
    await this.parts.recording.check(session, true);
    this.#state = 'relaying';
    const sinceMs = performance.now();
    if (this.#missed.size === 0)
      this.parts.log.log('This instance relays writes from outside the service');
    await session.listen();
    while (!this.#isClosing) {
      await this.#drain(session);
      await this.#survey(session);
      if (this.#missed.size > 0 && performance.now() - sinceMs > PARTIAL_MS) return;
      this.#warnedOf = undefined;
      await session.notified(LOOK_MS);
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
    let oldest: unknown;
    let looks = 0;
    while (!this.#isClosing && !(await session.tryLock())) {
      this.#state = 'standby';
      const now = await session.oldestId();
      looks = now !== undefined && now === oldest ? looks + 1 : 0;
      oldest = now;
      if (this.isLockStuck && (await session.lockHolder()) !== this.#hungHolder) {
        this.#hungHolder = undefined;
        looks = 0;
      }
      if (looks >= PATIENCE_LOOKS && !this.isLockStuck) {
        this.#hungHolder = await session.lockHolder();
        this.parts.log.warn(
          `${SEEN_LATE}. This instance relays without the lock, every ${STANDBY_MS} ms`,
        );
      }
      if (this.isLockStuck) await this.#drain(session);
      await this.#survey(session);
      await this.#pause(STANDBY_MS);
    }
    this.#hungHolder = undefined;
  }

  async #survey(session: OutboxSession): Promise<void> {
    if (performance.now() - this.#surveyedAtMs < SURVEY_MS) return;
    await this.parts.recording.check(session);
    this.#backlog = await session.backlog();
    this.#surveyedAtMs = performance.now();
  }

  /** Relays until no row is left, except rows that another session has locked, and those of unreachable buckets. */
  async #drain(session: OutboxSession): Promise<void> {
    // A server that hangs would hold up the rows of other tables with each new one.
    const isDue = performance.now() - this.#missedAtMs >= LOOK_MS;
    const known = isDue ? new Set<string>() : this.#missed;
    if (isDue) this.#missedAtMs = performance.now();
    const missed = new Set(known);
    let afterId = FIRST_ID;
    for (;;) {
      const found = await session.next(afterId, BATCH_ROWS);
      const last = found.at(-1);
      if (!last) break;
      afterId = last.id;
      const records = found.filter(({ table }) => !known.has(table));
      if (records.length > 0) {
        const { tracer } = this.parts.events;
        const relayed = tracer
          ? tracer.relay(records, () => this.#publish(session, records))
          : this.#publish(session, records);
        for (const table of await relayed) missed.add(table);
      }
      if (found.length < BATCH_ROWS || this.#isClosing) break;
      await this.#survey(session);
      await nextTurn();
    }
    this.#missed = missed;
  }

  /**
   * Publishes the rows, then removes them. Resolves to the schema's tables in the buckets that it did not reach, for each
   * of which a row stays; rejects if it reaches no bucket at all.
   */
  async #publish(
    session: OutboxSession,
    records: readonly OutboxRecord[],
  ): Promise<readonly string[]> {
    const { protocol, store } = this.parts;
    const readAtMs = performance.now();
    const written = await writtenByRecords(records, this.parts);
    // After that no waiting row adds anything: after an outage every write has left such a row.
    const all = written === 'schema' ? await session.ids() : records.map(({ id }) => id);
    const failures = await protocol.publish(written);
    if (failures.length === store.buckets) throw failures[0]?.cause;
    const missed = failures.map(({ bucket }) => schemaIn(bucket));
    const isOneEach =
      records.length === missed.length && records.every(({ table }) => missed.includes(table));
    if (isOneEach) return missed;
    const ids = missed.length > 0 ? records.map(({ id }) => id) : all;
    if (missed.length > 0) await session.record(missed);
    await this.#remove(session, records, ids, readAtMs);
    return missed;
  }

  async #remove(
    session: OutboxSession,
    records: readonly OutboxRecord[],
    ids: readonly string[],
    readAtMs: number,
  ): Promise<void> {
    const ageMs = Math.max(0, ...records.map((record) => record.ageMs));
    const lagMs = ageMs + performance.now() - readAtMs;
    this.parts.events.emitSafely('relayed', { rows: ids.length, lagMs });
    await session.remove(ids);
  }

  async #pause(durationMs: number): Promise<void> {
    const { signal } = this.#closing;
    await pause(durationMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
