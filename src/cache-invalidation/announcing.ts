/** What a transaction announces before its COMMIT. */
import type { DatabaseSchema } from '../query-cache/index.js';
import type { ConnectionSession } from './connection-session.js';
import type { Announcement, WriteProtocol } from './core/write-protocol.js';
import { doneSoFar, type DoneSoFar } from './done-so-far.js';
import type { OutboxWriter } from './outbox/outbox-writer.js';
import { versionNames } from './touched-tables.js';

/** Who is told before a COMMIT. */
export interface Audience {
  readonly schema: DatabaseSchema;
  readonly protocol: WriteProtocol;
  readonly outbox: OutboxWriter;
}

/**
 * Marks what the open transaction has touched; `undefined` where it has touched nothing.
 *
 * What was understood under a catalogue that is not the present one may have touched anything, also
 * where it seems to have changed no row. What may have touched anything may have touched nothing as
 * well (a SELECT, as a rule); the server knows.
 *
 * Where the version store cannot be reached, the transaction itself carries into the outbox what the other
 * instances have to know.
 *
 * @throws WriteRefusedError when the version store cannot be reached, under the policy `refuse` or
 *   without an outbox.
 */
export async function announce(
  session: ConnectionSession,
  audience: Audience,
): Promise<Announcement | undefined> {
  const { schema, protocol, outbox } = audience;
  const record = (): Promise<void> => outbox.record(session.client);
  const pid = session.client.processID ?? 0;
  const touched = session.log.touched();
  const isUnderstood =
    touched !== 'anything' && !session.hasChangedSchema && isUnderPresent(session, schema);
  if (isUnderstood && touched.size === 0) {
    if (session.understoodBy === undefined || (await schema.isPresent())) return undefined;
    return announceAnything(session, audience);
  }
  if (!isUnderstood) return announceAnything(session, audience);
  // Sent together: one round trip.
  const [announcement, isPresent] = await Promise.all([
    protocol.begin(versionNames(touched), pid, record),
    schema.isPresent(),
  ]);
  if (isPresent || announcement.isUncertain) return announcement;
  protocol.abort(announcement);
  return protocol.begin('anything', pid, record);
}

/** The open transaction was committed, and nobody was told before: ends what it has touched as soon as possible. */
export function announceLate(session: ConnectionSession, { protocol }: Audience): void {
  protocol.owe(session.log.tables());
  session.endTransaction();
}

function isUnderPresent({ understoodBy }: ConnectionSession, schema: DatabaseSchema): boolean {
  return understoodBy === undefined || understoodBy === schema.catalogue;
}

async function announceAnything(
  session: ConnectionSession,
  { schema, protocol, outbox }: Audience,
): Promise<Announcement | undefined> {
  const { client } = session;
  // In a failed transaction nothing can be asked.
  if (client.getTransactionStatus() !== 'E') {
    const { hasWritten, hasChangedSchema } = await askDone(session, outbox);
    if (!hasWritten) return undefined;
    if (hasChangedSchema) {
      session.hasChangedSchema = true;
      schema.markOutdated();
    }
  }
  return protocol.begin(
    session.hasChangedSchema ? 'schema' : 'anything',
    client.processID ?? 0,
    () => outbox.record(client),
  );
}

/**
 * On the same way, what triggers have put into the outbox is taken out again: whatever they say, it is
 * announced now.
 */
async function askDone(
  { client, noticed }: ConnectionSession,
  outbox: OutboxWriter,
): Promise<DoneSoFar> {
  if (noticed.recordedFrom === undefined) return doneSoFar(client);
  const withdrawal = outbox.withdrawal(noticed.recordedFrom);
  try {
    return await doneSoFar(client, withdrawal);
  } catch (error) {
    await withdrawal.undo(client, error as Error);
    return doneSoFar(client);
  }
}
