/**
 * Ends the answers that statements may have made stale before the hooks were in place.
 *
 * TypeORM builds its subscribers while it initialises the data source, so some statements always come
 * before ours is among them: migrations and `synchronize` at start, a `dataSourceFactory` or provider
 * that writes, everything after `destroy()` and `initialize()`. Whether they wrote is not known, so every
 * answer is ended, unless it is proven that nothing was missed:
 * - the catalog is as an earlier call has found it: no definition was changed and no table rewritten;
 * - every table that answers depend on has its triggers: a session that is not followed writes to the
 *   outbox, which is relayed as for a stranger;
 * - the outbox is empty, so all of that has been relayed. That of a standby may lack rows.
 * The first start over a version store of this process alone has no answers to end.
 *
 * Transactions that are still open are the watcher's: it takes one that it meets half-way for a write
 * to anything.
 */
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../query-cache/core/schema-version.js';
import { parseEpoch } from '../query-cache/core/version-format.js';
import { IS_STANDBY, type DatabaseSchema, type VersionStore } from '../query-cache/index.js';
import type { PostgresClient } from './postgres-client.js';
import { catalogFingerprint } from './catalog-fingerprint.js';
import type { WriteProtocol } from './core/write-protocol.js';
import type { OutboxObjects } from './outbox/outbox-objects.js';
import type { RecordingChanges } from './outbox/recording-changes.js';
import { familiesOf, triggerStates } from './outbox/trigger-states.js';
import type { RunSql } from './run-sql.js';

/** A table of the version store without versions: its epoch names the catalog that was found last. */
const CATALOG = '#catalog';

interface MissedWritesParts {
  readonly source: DataSource;
  readonly store: VersionStore;
  readonly schema: DatabaseSchema;
  readonly protocol: WriteProtocol;
  readonly objects: OutboxObjects;
  readonly recording: RecordingChanges;
  /** Whether other processes, and earlier ones, use the version store too. */
  readonly isStoreShared: boolean;
}

export class MissedWrites {
  readonly #run: RunSql;

  constructor(private readonly parts: MissedWritesParts) {
    const { source } = parts;
    this.#run = async (sql, values) => {
      const runner = source.createQueryRunner('master');
      try {
        // Past the hooks: these read the catalogs alone, and are long to parse.
        const client = (await runner.connect()) as PostgresClient;
        return (await client.query(sql, values)).rows;
      } finally {
        await runner.release();
      }
    };
  }

  /** The catalog as it is now; to be asked before it is loaded. */
  async catalog(): Promise<string> {
    // First: what changes from here on is the relay's to find.
    await this.parts.recording.observe(this.#run);
    return catalogFingerprint(this.#run);
  }

  /**
   * To be called once the hooks are in place. Rejects where the database or the version store cannot
   * be reached.
   *
   * @param loaded what {@link catalog} answered before the catalog was loaded.
   */
  async end(loaded: string): Promise<void> {
    const [reading] = await this.parts.store.read([{ table: CATALOG, names: [] }]);
    if (reading?.node === undefined) throw new Error('the version store does not answer');
    const { epoch, node } = reading;
    const found = await this.catalog();
    const isLoaded = found === loaded;
    const last = epoch === undefined ? undefined : parseEpoch(epoch);
    const isUnchanged = last?.token === found && last.node === node;
    if (isLoaded && isUnchanged && (await this.#isAllRecorded())) return;
    const isFirst = epoch === undefined && !this.parts.isStoreShared;
    if (!isLoaded || !isFirst) {
      await this.parts.protocol.tell('schema', 0);
      this.parts.schema.markOutdated();
      await this.parts.schema.load();
    }
    // Last: where this process ends before, the next one ends all answers once more.
    await this.parts.store.rotate(CATALOG, epoch, found);
  }

  /** Whether the triggers have recorded every write to a table of an answer, and all was relayed. */
  async #isAllRecorded(): Promise<boolean> {
    const known = await this.parts.store.tables();
    // All answers depend on the schema: without it, the store has lost the names, or there is no answer.
    if (!known.includes(SCHEMA)) {
      const [schema] = await this.parts.store.read([{ table: SCHEMA, names: [] }]);
      return schema?.epoch === undefined;
    }
    const tables = familiesOf(known, this.parts.schema.catalogue);
    if (tables.length === 0) return true;
    try {
      const states = await triggerStates(tables, this.parts.objects, this.#run);
      if (states.some(({ state }) => state !== 'installed')) return false;
      const [row] = await this.#run(
        `SELECT ${IS_STANDBY} OR EXISTS (SELECT FROM ${this.parts.objects.table}) AS "isWaiting"`,
      );
      return row?.['isWaiting'] === false;
    } catch {
      // The role may not read the outbox.
      return false;
    }
  }
}
