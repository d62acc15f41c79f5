/**
 * Notices that what records writes was changed, so that some may have gone unrecorded.
 *
 * `ALTER TABLE ... DISABLE TRIGGER ALL`, rows, `ENABLE TRIGGER ALL` (as `pg_restore --disable-triggers` sends
 * them) leave nothing in the outbox; neither do rows while a trigger is dropped and made again, and TRUNCATE
 * takes rows out of the outbox that were not relayed. After any such change everything counts as
 * written. What was seen last is kept in the version store: one instance ends the answers, once, and it is
 * noticed too where the instance that relays is another one by then.
 */
import { parseEpoch } from '../../query-cache/core/version-format.js';
import type { CacheEvents, DatabaseSchema, VersionStore } from '../../query-cache/index.js';
import type { WriteProtocol } from '../core/write-protocol.js';
import type { RunSql } from '../run-sql.js';
import type { OutboxObjects } from './outbox-objects.js';
import type { OutboxSession } from './outbox-session.js';

/** A table of the version store without versions: the token of its epoch is what was seen last. */
const RECORDING_SEEN = { table: '#recording', names: [] };
/** Tells such a token from a random one, which is put in its place after an outage. */
const TOKEN_PREFIX = 'recording-';
const NOTHING = 'nothing';

/**
 * All by which writes are recorded, as one text: triggers, their functions, the outbox, and the partitions of
 * the tables. PostgreSQL writes a new row of its catalogs for every change of those, also where it is
 * taken back, and each row names the transaction that wrote it. NULL: there are no triggers. `others` leaves out
 * the functions, the outbox, and the triggers of one table.
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
         THEN pg_catalog.md5(pg_catalog.string_agg(part, ' ' ORDER BY part)) END AS recording,
       pg_catalog.md5(pg_catalog.string_agg(part, ' ' ORDER BY part) FILTER (WHERE is_other)) AS others
  FROM (
  SELECT pg_catalog.concat_ws(',', 'function', oid, xmin) AS part, false AS is_other FROM capture
  UNION ALL
  SELECT pg_catalog.concat_ws(',', 'trigger', t.oid, t.xmin, n.nspname, c.relname),
         pg_catalog.concat(n.nspname, '.', c.relname) <> $2
    FROM trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  UNION ALL
  SELECT pg_catalog.concat_ws(',', 'partition', i.inhrelid, i.inhparent, i.xmin), true
    FROM pg_catalog.pg_inherits i WHERE i.inhparent IN (SELECT tgrelid FROM trigger)
  UNION ALL
  SELECT pg_catalog.concat_ws(',', 'outbox', c.oid, c.xmin), false FROM pg_catalog.pg_class c
   WHERE c.relname = 'outbox' AND c.relnamespace = (SELECT oid FROM own)
) parts`;

interface Found {
  readonly recording: string;
  readonly others: string | null;
}

export interface RecordingChangesParts {
  readonly objects: OutboxObjects;
  readonly store: VersionStore;
  readonly protocol: WriteProtocol;
  readonly schema: DatabaseSchema;
  readonly events: CacheEvents;
  readonly log: { warn(message: string): void };
}

export class RecordingChanges {
  #atStart: string | undefined;
  /** As the version store has it, too. */
  #seen: string | undefined;
  /** The installations of this process, each from what it found to what it left. */
  readonly #installations = new Map<string, string>();

  constructor(private readonly parts: RecordingChangesParts) {}

  /** To be called when the application starts, before anybody asks what was missed until then. */
  async observe(run: RunSql): Promise<void> {
    this.#atStart ??= (await this.#found(run)).recording;
  }

  /**
   * Carries out an installation on a table, which itself ends the answers that it concerns: the next look does not
   * take it for a change of somebody else's.
   *
   * @param table `schema.name`
   * @param run in the transaction of the installation
   */
  async ofInstallation<T>(table: string, run: RunSql, install: () => Promise<T>): Promise<T> {
    const before = await this.#found(run, table);
    const result = await install();
    const after = await this.#found(run, table);
    // Else somebody has changed the triggers of another table meanwhile.
    if (before.others === after.others) this.#installations.set(before.recording, after.recording);
    return result;
  }

  /**
   * Rejects where the database or the version store cannot be reached.
   *
   * @param needsStore whether the version store is asked even where nothing has changed.
   */
  async look(session: OutboxSession, needsStore = false): Promise<void> {
    const { recording: found } = await this.#found((sql, values) => session.run(sql, values));
    if (found === this.#seen && !needsStore) return;
    const { store } = this.parts;
    const [reading] = await store.read([RECORDING_SEEN]).catch(() => []);
    // The log has the reason already.
    if (reading?.node === undefined) throw new Error('the version store cannot be reached');
    const { epoch } = reading;
    const before = seenLast(epoch) ?? this.#seen ?? this.#atStart;
    if (before !== undefined && !this.#isOwnWork(before, found)) await this.#endAll(session);
    // Last: where this process ends before, the next one ends the answers once more.
    if (seenLast(epoch) !== found) {
      await store.rotate(RECORDING_SEEN.table, epoch, TOKEN_PREFIX + found);
    }
    this.#seen = found;
  }

  /** Whether installations of this process alone lead from the one to the other. */
  #isOwnWork(before: string, found: string): boolean {
    let at: string | undefined = before;
    while (at !== undefined && at !== found) {
      const after = this.#installations.get(at);
      this.#installations.delete(at);
      at = after;
    }
    return at === found;
  }

  async #found(run: RunSql, table = ''): Promise<Found> {
    const [row] = await run(RECORDING, [this.parts.objects.schema, table]);
    const { recording, others } = row as { recording: string | null; others: string | null };
    return { recording: recording ?? NOTHING, others };
  }

  async #endAll({ backendPid }: OutboxSession): Promise<void> {
    const { protocol, schema, events, log } = this.parts;
    await protocol.tell('schema', backendPid);
    // Whoever looks after the triggers does so under each new catalog.
    schema.markOutdated();
    events.tell('recordingChanged');
    log.warn(
      'The triggers, the outbox or partitions have changed (by an installation, or as ALTER TABLE ... ' +
        'DISABLE TRIGGER does): every answer was ended, since writes may have gone unrecorded meanwhile.',
    );
  }
}

function seenLast(epoch: string | undefined): string | undefined {
  const { token } = epoch === undefined ? { token: '' } : parseEpoch(epoch);
  return token.startsWith(TOKEN_PREFIX) ? token.slice(TOKEN_PREFIX.length) : undefined;
}
