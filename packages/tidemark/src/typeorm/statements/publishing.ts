/** Publishes the writes of a transaction before its COMMIT. */
import { allBuckets } from '../../core/buckets.js';
import type { ConnectionSession } from './connection-session.js';
import type { PublishedWrite, RecordUnpublished } from '../../core/write-protocol.js';
import { transactionStatus } from './transaction-status.js';
import { versionNames } from '../../core/write-set.js';
import { familyHasTriggers, wholeTables } from './written-tables.js';

/**
 * Marks the write set of the open transaction; `undefined` if it has written nothing.
 *
 * Queries the server if more may have been written than the triggers have reported. A write that was analysed under an
 * outdated catalog may have written any table, even if it seems to have changed no row. If the version store cannot be
 * reached, the transaction itself puts the write set into the outbox for the other instances.
 *
 * @param origin the name of the work that commits.
 * @throws the error of a refused write if the version store cannot be reached, under the policy `refuse` or without an outbox.
 */
export async function publish(
  session: ConnectionSession,
  origin: string | undefined,
): Promise<PublishedWrite | undefined> {
  const publishedWrite = await mark(session);
  if (publishedWrite) {
    const cause = session.isObserved ? session.log.cause(origin) : undefined;
    session.parts.protocol.emitInvalidated(publishedWrite, cause);
  }
  return publishedWrite;
}

async function mark(session: ConnectionSession): Promise<PublishedWrite | undefined> {
  const { client, log, backendPid } = session;
  const { schema, store, protocol, outbox } = session.parts;
  if (hasDeferred(session)) await client.query('SET CONSTRAINTS ALL IMMEDIATE');
  const isAsked = log.mayHaveMore || !isUnderstood(session);
  if (isAsked && !(await askServer(session))) return undefined;
  if (!isUnderstood(session)) return publishAnything(session);
  const written = log.written();
  if (written === 'all-tables' || written.size === 0) {
    if (session.understoodBy === undefined || (await schema.isCurrent())) return undefined;
    const hasWritten = isAsked || (await askServer(session));
    return hasWritten ? publishAnything(session) : undefined;
  }
  // Sent together: one round trip.
  const asked = schema.currency();
  const record: RecordUnpublished = async (buckets) => {
    const isAnything = (await asked) === 'unknown';
    await outbox.record(client, isAnything ? allBuckets(store) : buckets);
  };
  const publishedWrite = await protocol.begin(versionNames(written), backendPid, record);
  const currency = await asked;
  const isRecorded = currency === 'unknown' && publishedWrite.unpublishedIn.length > 0;
  if (currency === 'current' || isRecorded) return publishedWrite;
  protocol.abort(publishedWrite);
  return protocol.begin('all-tables', backendPid, record);
}

/** The open transaction was committed without a published write: publishes its writes as soon as possible. */
export function publishLate(session: ConnectionSession): void {
  const { log, parts } = session;
  // The server can no longer be asked which other tables were written.
  parts.protocol.enqueue(log.mayHaveMore ? 'all-tables' : log.tables());
  session.endTransaction();
}

/** Whether a user trigger is deferred to COMMIT, when notices of its writes come too late. */
function hasDeferred({ log, hasFailed, parts }: ConnectionSession): boolean {
  if (hasFailed) return false;
  const { catalog } = parts.schema;
  const tables = log.mayHaveMore ? 'all-tables' : log.tables();
  const facts =
    tables === 'all-tables' ? catalog.tables : tables.map((id) => catalog.tableById(id));
  return facts.some((table) => table?.sideEffects.has('commit'));
}

function isUnderstood(session: ConnectionSession): boolean {
  const { log, hasChangedSchema, understoodBy, parts } = session;
  if (log.isAnything || hasChangedSchema) return false;
  return understoodBy === undefined || understoodBy === parts.schema.catalog;
}

function publishAnything(session: ConnectionSession): Promise<PublishedWrite> {
  const { client, hasChangedSchema, backendPid, parts } = session;
  const written = hasChangedSchema ? 'schema' : 'all-tables';
  return parts.protocol.begin(written, backendPid, (buckets) =>
    parts.outbox.record(client, buckets),
  );
}

/** Adds the server's transaction status to the log; returns `false` if nothing at all was written. */
async function askServer(session: ConnectionSession): Promise<boolean> {
  const { client, log, hasFailed, parts } = session;
  const { catalog } = parts.schema;
  const { triggers, objects } = parts;
  // A failed transaction cannot run queries.
  if (hasFailed) return true;
  const { hasWritten, hasChangedSchema, hasLostSetting, changed } = await transactionStatus(
    client,
    objects,
  );
  if (!hasWritten) return false;
  if (hasChangedSchema) session.changeSchema();
  if (hasLostSetting) {
    log.addForGood('all-tables');
    session.introduce();
  }
  const silent: string[] = [];
  for (const { table: id, isReported } of changed) {
    const table = catalog.tableById(id);
    if (!table) log.addForGood('all-tables');
    else if (!isReported && triggers.hasTriggers(table)) silent.push(id);
    else if (!familyHasTriggers(table, catalog, triggers.hasTriggers)) {
      triggers.warnOf(table);
      for (const part of wholeTables([table], catalog)) log.addForGood(part);
    }
  }
  if (silent.length > 0) {
    session.changeSchema();
    triggers.doubt(silent);
  }
  return true;
}
