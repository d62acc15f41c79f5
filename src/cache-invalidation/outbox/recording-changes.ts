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
import type { OutboxSession } from './outbox-session.js';

/** A table of the version store without versions: the token of its epoch is what was seen last. */
const RECORDING = { table: '#recording', names: [] };
/** Tells such a token from a random one, which is put in its place after an outage. */
const TOKEN_PREFIX = 'recording-';
const NOTHING = 'nothing';

export interface RecordingChangesParts {
  readonly store: VersionStore;
  readonly protocol: WriteProtocol;
  readonly schema: DatabaseSchema;
  readonly events: CacheEvents;
  readonly log: { warn(message: string): void };
}

export class RecordingChanges {
  #seen: string | undefined;

  constructor(private readonly parts: RecordingChangesParts) {}

  /** Rejects where the database or the version store cannot be reached. */
  async look(session: OutboxSession): Promise<void> {
    const found = (await session.recording()) ?? NOTHING;
    if (found === this.#seen) return;
    const { store } = this.parts;
    const [reading] = await store.read([RECORDING]);
    if (reading?.node === undefined) throw new Error('the version store does not answer');
    const { epoch } = reading;
    const before = seenLast(epoch) ?? this.#seen;
    // Before the first installation there is nothing that could be changed.
    if (before === undefined && found === NOTHING) return;
    if (before !== undefined && before !== found) await this.#endAll(session);
    // Last: where this process ends before, the next one ends the answers once more.
    if (seenLast(epoch) !== found) await store.rotate(RECORDING.table, epoch, TOKEN_PREFIX + found);
    this.#seen = found;
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
