/** What a transaction announces before its COMMIT. */
import type { DatabaseSchema } from '../query-cache/index.js';
import type { ConnectionSession } from './connection-session.js';
import type { Announcement, WriteProtocol } from './core/write-protocol.js';
import { doneSoFar, type DoneSoFar } from './done-so-far.js';
import type { OutboxWriter } from './outbox/outbox-writer.js';
import type { TriggerTrust } from './outbox/trigger-trust.js';
import { versionNames, wholeTables } from './touched-tables.js';
import { isFamilyTold } from './untold-tables.js';

/** Who is told before a COMMIT. */
export interface Audience {
  readonly schema: DatabaseSchema;
  readonly protocol: WriteProtocol;
  readonly outbox: OutboxWriter;
  readonly trust: TriggerTrust;
}

/**
 * Marks what the open transaction has touched; `undefined` where it has touched nothing.
 *
 * The server is asked where more may have been touched than the triggers have told. What was understood
 * under a catalogue that is not the present one may have touched anything, also where it seems to have changed
 * no row.
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
  if (hasDeferred(session, schema)) await session.client.query('SET CONSTRAINTS ALL IMMEDIATE');
  const isAsked =
    session.log.mayHaveMore ||
    session.noticed.recordedFrom !== undefined ||
    !isUnderstood(session, schema);
  if (isAsked && !(await askWhatWasDone(session, audience))) return undefined;
  if (!isUnderstood(session, schema)) return announceAnything(session, audience);
  const touched = session.log.touched();
  if (touched === 'anything' || touched.size === 0) {
    if (session.understoodBy === undefined || (await schema.isPresent())) return undefined;
    const hasWritten = isAsked || (await askWhatWasDone(session, audience));
    return hasWritten ? announceAnything(session, audience) : undefined;
  }
  const record = (): Promise<void> => outbox.record(session.client);
  const pid = session.client.processID ?? 0;
  // Sent together: one round trip.
  const [announcement, isPresent] = await Promise.all([
    protocol.begin(versionNames(touched), pid, record),
    schema.isPresent(),
  ]);
  if (isPresent || announcement.isUncertain) return announcement;
  protocol.abort(announcement);
  return protocol.begin('anything', pid, record);
}

/** Whether a trigger of somebody waits for COMMIT, when it would be too late to hear what it writes. */
function hasDeferred({ log, client }: ConnectionSession, { catalogue }: DatabaseSchema): boolean {
  if (client.getTransactionStatus() === 'E') return false;
  const tables = log.mayHaveMore ? 'anything' : log.tables();
  const facts =
    tables === 'anything' ? catalogue.tables : tables.map((id) => catalogue.tableById(id));
  return facts.some((table) => table?.sideEffects.has('commit'));
}

function isUnderstood(
  { log, hasChangedSchema, understoodBy }: ConnectionSession,
  schema: DatabaseSchema,
): boolean {
  if (log.isAnything || hasChangedSchema) return false;
  return understoodBy === undefined || understoodBy === schema.catalogue;
}

function announceAnything(
  session: ConnectionSession,
  { protocol, outbox }: Audience,
): Promise<Announcement> {
  const { client, hasChangedSchema } = session;
  return protocol.begin(hasChangedSchema ? 'schema' : 'anything', client.processID ?? 0, () =>
    outbox.record(client),
  );
}

/** Adds what the server says to what is known; answers `false` where nothing was written at all. */
async function askWhatWasDone(session: ConnectionSession, audience: Audience): Promise<boolean> {
  const { schema, trust } = audience;
  // In a failed transaction nothing can be asked.
  if (session.client.getTransactionStatus() === 'E') return true;
  const { hasWritten, hasChangedSchema, isUnheard, changed } = await askDone(session, audience);
  if (!hasWritten) return false;
  if (hasChangedSchema) session.changeSchema(schema);
  if (isUnheard) {
    session.log.addForGood('anything');
    session.introduce(audience.outbox);
  }
  const silent: string[] = [];
  for (const { table, isHeard } of changed) {
    const facts = schema.catalogue.tableById(table);
    if (!facts) session.log.addForGood('anything');
    else if (!isHeard && trust.isTold(facts)) silent.push(table);
    else if (!isFamilyTold(facts, schema.catalogue, trust.isTold)) {
      for (const part of wholeTables([facts], schema.catalogue)) session.log.addForGood(part);
    }
  }
  if (silent.length > 0) {
    session.changeSchema(schema);
    trust.doubt(silent);
  }
  return true;
}

/**
 * On the same way, what triggers have put into the outbox is taken out again: whatever they say, it is
 * announced now.
 */
async function askDone(
  { client, noticed }: ConnectionSession,
  { outbox }: Audience,
): Promise<DoneSoFar> {
  if (noticed.recordedFrom === undefined) return doneSoFar(client, outbox.objects);
  const withdrawal = outbox.withdrawal(noticed.recordedFrom);
  try {
    return await doneSoFar(client, outbox.objects, withdrawal);
  } catch (error) {
    await withdrawal.undo(client, error as Error);
    return doneSoFar(client, outbox.objects);
  }
}
