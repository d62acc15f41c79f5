/**
 * Detects changes of triggers, outbox and partitions, since writes may have gone unrecorded meanwhile.
 *
 * `ALTER TABLE ... DISABLE TRIGGER ALL`, rows, `ENABLE TRIGGER ALL` (as `pg_restore --disable-triggers` sends them)
 * leave nothing in the outbox. Neither do rows written while a trigger is dropped and created again, and TRUNCATE of
 * the outbox removes rows that were not relayed. After any such change all tables count as written. The version store
 * keeps the last seen state, so one instance invalidates the answers, once, whichever instance relays by then.
 */
import { allBuckets, requireAll, inBucket } from '../../core/buckets.js';

import { schemaWrite } from '../../core/schema-version.js';
import { parseEpoch } from '../../core/versions.js';
import type { RunSql } from '../postgres-client.js';
import type { CaptureParts } from './capture-parts.js';
import type { OutboxSession } from './outbox-session.js';

/** A table of each bucket without versions: the token of its epoch is the last seen state. */
const RECORDING_SEEN = '#recording';
/** Prefix of such a token; after an outage a random token replaces it. */
const TOKEN_PREFIX = 'recording-';
const NOTHING = 'nothing';

/**
 * Triggers, their functions, the outbox, and the partitions of the tables, as one text. PostgreSQL writes a new catalog
 * row for every change of them, even for a change that is reverted, and each row names the transaction that wrote it.
 * NULL: there are no triggers.
 */
const RECORDING = `
WITH own AS (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = $1),
capture AS (
  SELECT p.oid, p.xmin FROM pg_catalog.pg_proc p WHERE p.pronamespace = (SELECT oid FROM own)
), trigger AS (
  SELECT t.oid, t.xmin, t.tgrelid FROM pg_catalog.pg_trigger t
   WHERE t.tgfoid IN (SELECT oid FROM capture)
)
SELECT CASE WHEN EXISTS (SELECT FROM trigger)
         THEN pg_catalog.md5(pg_catalog.string_agg(part, ' ' ORDER BY part)) END AS recording
  FROM (
  SELECT pg_catalog.concat_ws(',', 'function', oid, xmin) AS part FROM capture
  UNION ALL
  SELECT pg_catalog.concat_ws(',', 'trigger', t.oid, t.xmin, n.nspname, c.relname)
    FROM trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  UNION ALL
  SELECT pg_catalog.concat_ws(',', 'partition', i.inhrelid, i.inhparent, i.xmin)
    FROM pg_catalog.pg_inherits i WHERE i.inhparent IN (SELECT tgrelid FROM trigger)
  UNION ALL
  SELECT pg_catalog.concat_ws(',', 'outbox', c.oid, c.xmin) FROM pg_catalog.pg_class c
   WHERE c.relname = 'outbox' AND c.relnamespace = (SELECT oid FROM own)
) parts`;

export class RecordingChanges {
  #atStart: string | undefined;
  /** By bucket: the state last seen in the version store too. */
  readonly #seen = new Map<number, string>();
  /** The buckets that could not be reached at the last check. */
  readonly #missed = new Set<number>();
  #isInstalling = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly parts: CaptureParts,
    /** Sends a statement over any connection. */
    private readonly run: RunSql,
  ) {}

  /** Whether this process is installing triggers: each table changes the schema. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /** Must be called when the application starts, before the check for writes missed until then. */
  async observe(): Promise<void> {
    this.#atStart ??= await this.#found(this.run);
  }

  /**
   * Runs an installation of this process, and invalidates all answers, so that the next check finds no change. It does
   * so even if the installation fails, which may have changed some tables.
   */
  async installing(install: () => Promise<readonly string[]>): Promise<readonly string[]> {
    this.#isInstalling = true;
    let hasChanged = true;
    try {
      const tables = await install();
      hasChanged = tables.length > 0;
      return tables;
    } finally {
      // If this fails, the next check invalidates them.
      if (hasChanged) await this.#compare(this.run).catch(() => undefined);
      this.#isInstalling = false;
    }
  }

  /**
   * Rejects if the database or the version store is unreachable.
   *
   * @param needsStore whether the version store is read even if nothing has changed.
   */
  async check(session: OutboxSession, needsStore = false): Promise<void> {
    if (this.#isInstalling && !needsStore) return;
    const run: RunSql = (sql, values) => session.run(sql, values);
    if (!(await this.#compare(run, needsStore))) return;
    const { events, log } = this.parts;
    events.emitSafely('recordingChanged');
    log.warn(
      'The triggers, the outbox or partitions have changed (by an installation, or as ALTER TABLE ... ' +
        'DISABLE TRIGGER does): every answer was ended, since writes may have gone unrecorded meanwhile.',
    );
  }

  /**
   * Resolves to whether it has invalidated all answers. Sequential: the state that one call found may be older than the
   * state that another call has stored.
   */
  #compare(run: RunSql, needsStore = false): Promise<boolean> {
    const comparing = this.#last.then(() => this.#compareNow(run, needsStore));
    this.#last = comparing.catch(() => undefined);
    return comparing;
  }

  /** Buckets that cannot be reached are compared by a later call; rejects if none can be. */
  async #compareNow(run: RunSql, needsStore: boolean): Promise<boolean> {
    const { store, schema } = this.parts;
    const found = await this.#found(run);
    const buckets = allBuckets(store).filter(
      (bucket) => needsStore || this.#missed.has(bucket) || found !== this.#seen.get(bucket),
    );
    const comparing = buckets.map((bucket) => this.#compareIn(bucket, found));
    const outcomes = await Promise.allSettled(comparing);
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length === store.buckets) throw failures[0]?.reason;
    const hasChanged = outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value);
    // The trigger keeper checks the triggers under each new catalog.
    if (hasChanged) schema.markOutdated();
    return hasChanged;
  }

  /** Resolves to whether it has invalidated all answers of the bucket. */
  async #compareIn(bucket: number, found: string): Promise<boolean> {
    const { store, protocol } = this.parts;
    this.#missed.add(bucket);
    const table = inBucket(RECORDING_SEEN, bucket);
    const [reading] = await store.read([{ table, names: [] }]).catch(() => []);
    // The log already has the reason.
    if (reading?.node === undefined) throw new Error('the version store cannot be reached');
    const { epoch } = reading;
    const { token } = epoch === undefined ? { token: '' } : parseEpoch(epoch);
    const stored = token.startsWith(TOKEN_PREFIX) ? token.slice(TOKEN_PREFIX.length) : undefined;
    const before = stored ?? this.#seen.get(bucket) ?? this.#atStart;
    const hasChanged = before !== undefined && before !== found;
    if (hasChanged) await requireAll(protocol.publish([schemaWrite(bucket)]));
    // Last: if this process ends before, the next one invalidates the answers once more.
    if (stored !== found) await store.rotate(table, epoch, TOKEN_PREFIX + found);
    this.#seen.set(bucket, found);
    this.#missed.delete(bucket);
    return hasChanged;
  }

  async #found(run: RunSql): Promise<string> {
    const [row] = await run(RECORDING, [this.parts.objects.schema]);
    return (row?.['recording'] as string | null | undefined) ?? NOTHING;
  }
}
