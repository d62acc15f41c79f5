/**
 * Invalidates the answers that writes may have made stale before the hooks were installed (docs/decisions/protocol.md):
 * all answers, unless it is proven that no write was missed:
 * - the catalog equals the one that an earlier call found: no definition was changed and no table rewritten;
 * - every table that answers depend on has its triggers: a session without the hooks then writes to the outbox, and the
 *   relay publishes its rows;
 * - the outbox is empty, so all its rows were relayed. The outbox of a standby may lack rows.
 *
 * The first start over a version store in this process alone has no answers to invalidate. A bucket that cannot be
 * reached is left to the retry queue of the write protocol: its answers are invalidated as soon as it can be.
 *
 * Transactions that are still open are left to the interceptor: it treats a transaction that it first sees half-way as
 * a write to all tables.
 */
import { allBuckets, requireAll, inBucket } from '../../core/buckets.js';
import type { TableReading } from '../../core/ports/version-store.js';
import { schemaIn, schemaWrite } from '../../core/schema-version.js';
import { parseEpoch } from '../../core/versions.js';
import { FIRST_OID_OF_USERS } from '../../postgres/catalog/writing-functions.js';
import { IS_STANDBY } from '../../postgres/standby.js';
import type { Catalog, TableFacts } from '../../core/table-facts.js';
import type { RecordingChanges } from '../../postgres/capture/recording-changes.js';
import { triggerStates } from '../triggers/trigger-states.js';
import type { RunSql } from '../../postgres/postgres-client.js';
import { askPrimary } from '../database/own-question.js';
import type { WriteParts } from './write-parts.js';

/** The fingerprint reads whole catalogs, which may have millions of rows and lie on the disk. */
const ANSWER_LIMIT_MS = 60_000;

/** The catalogs of all definitions that answers depend on, with the column that identifies the object. */
const CATALOGS = {
  pg_attribute: 'attrelid',
  pg_inherits: 'inhrelid',
  ...Object.fromEntries(
    [
      ...['pg_class', 'pg_attrdef', 'pg_constraint', 'pg_rewrite', 'pg_trigger', 'pg_policy'],
      ...[
        'pg_proc',
        'pg_type',
        'pg_operator',
        'pg_collation',
        'pg_enum',
        'pg_cast',
        'pg_extension',
      ],
    ].map((catalog) => [catalog, 'oid']),
  ),
};

/**
 * One hash of all definitions. PostgreSQL writes a new catalog row for every object that a statement defines, changes,
 * truncates or rewrites (ALTER COLUMN ... USING), and each row names the transaction that wrote it. So equal hashes
 * mean that no such statement was committed in between. VACUUM and ANALYZE change rows in place and do not count.
 */
const FINGERPRINT = `
SELECT pg_catalog.md5(pg_catalog.string_agg(c.name || c.digest, ' ' ORDER BY c.name)) AS fingerprint
  FROM (${Object.entries(CATALOGS).map(digestOf).join(' UNION ALL ')}) c`;

function digestOf([catalog, id]: [string, string]): string {
  const row = `t.${id}::pg_catalog.text || ' ' || t.xmin::pg_catalog.text`;
  return `SELECT '${catalog}' AS name,
  COALESCE(pg_catalog.sum(pg_catalog.hashtextextended(${row}, 0)), 0)::pg_catalog.text AS digest
  FROM pg_catalog.${catalog} t WHERE t.${id} >= ${FIRST_OID_OF_USERS}`;
}

/** A table of each bucket without versions: its epoch identifies the catalog found last. */
const CATALOG = '#catalog';

export class MissedWrites {
  constructor(
    private readonly parts: WriteParts,
    private readonly recording: RecordingChanges,
  ) {}

  /** Call once the hooks are installed. Rejects if the database or the version store cannot be reached. */
  async end(): Promise<void> {
    const { store, protocol, schema, isStoreShared } = this.parts;
    const { reached, missed } = await this.#readCatalogs();
    // First: the relay detects later changes of the triggers.
    await this.recording.observe();
    const [row] = await this.#run(FINGERPRINT);
    const found = String(row?.['fingerprint']);
    protocol.enqueue(missed.map(schemaIn));
    const buckets = reached.map(({ table }) => store.bucketOf(table));
    const unproven = reached.filter(({ epoch, node }) => !isOf(epoch, found, node));
    // Another server, or none, tells nothing about the other ones.
    const isUnchanged = unproven.every(({ epoch }) => epoch === undefined || isOf(epoch, found));
    const mayProve = isUnchanged && unproven.length < reached.length;
    const ended = mayProve && (await this.#isAllRecorded(buckets)) ? unproven : reached;
    if (ended.length === 0) return;
    if (isStoreShared || ended.some(({ epoch }) => epoch !== undefined)) {
      await requireAll(
        protocol.publish(ended.map(({ table }) => schemaWrite(store.bucketOf(table)))),
      );
      schema.markOutdated();
      await schema.load();
    }
    // Last: if this process ends before this step, the next process invalidates all answers once more.
    for (const { table, epoch } of ended) await store.rotate(table, epoch, found);
  }

  /** Rejects if no bucket can be reached. */
  async #readCatalogs() {
    const { store } = this.parts;
    const tables = allBuckets(store).map((bucket) => inBucket(CATALOG, bucket));
    const readings = await Promise.allSettled(
      tables.map((table) => store.read([{ table, names: [] }])),
    );
    const answers = readings.map((reading) =>
      reading.status === 'fulfilled' ? reading.value[0] : undefined,
    );
    const reached = answers.filter((answer) => answer?.node !== undefined) as TableReading[];
    if (reached.length === 0) throw new Error('the version store does not answer');
    const missed = allBuckets(store).filter((bucket) => answers[bucket]?.node === undefined);
    return { reached, missed };
  }

  /** Whether the triggers have recorded every write to a table of an answer, and all rows were relayed. */
  async #isAllRecorded(buckets: readonly number[]): Promise<boolean> {
    const { store, schema, objects } = this.parts;
    const known = await store.tables();
    // All answers depend on the schema: without its name, the store has lost names or there is no answer.
    const nameless = buckets.map(schemaIn).filter((table) => !known.includes(table));
    const readings = await store.read(nameless.map((table) => ({ table, names: [] })));
    if (readings.some(({ epoch }) => epoch !== undefined)) return false;
    const tables = familiesOf(known, schema.catalog);
    if (tables.length === 0) return true;
    try {
      const states = await triggerStates(tables, objects, this.#run);
      if (states.some(({ state }) => state !== 'installed')) return false;
      const [row] = await this.#run(
        `SELECT ${IS_STANDBY} OR EXISTS (SELECT FROM ${objects.table}) AS "isWaiting"`,
      );
      return row?.['isWaiting'] === false;
    } catch {
      // The role may lack the right to read the outbox.
      return false;
    }
  }

  readonly #run: RunSql = (sql, values) =>
    askPrimary(this.parts.source, sql, values, ANSWER_LIMIT_MS);
}

/** Whether the epoch of {@link CATALOG} names the catalog, and was made on the server. */
function isOf(epoch: string | undefined, found: string, node?: string): boolean {
  if (epoch === undefined) return false;
  const last = parseEpoch(epoch);
  return last.token === found && (node === undefined || last.node === node);
}

/** All tables through which the tables' rows can change: partitions, parents, children, sources of views. */
function familiesOf(ids: readonly string[], catalog: Catalog): readonly TableFacts[] {
  const found = new Map<string, TableFacts>();
  const waiting = [...ids];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const facts = catalog.tableById(id);
    if (!facts || found.has(id)) continue;
    found.set(id, facts);
    waiting.push(...facts.relatives, ...facts.sources);
  }
  return [...found.values()].filter(({ kind }) => kind !== 'view');
}
