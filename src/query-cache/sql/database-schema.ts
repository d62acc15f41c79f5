/** What is known of the database: its catalogue, and the analysis and keys that follow from it. */
import { LRUCache } from 'lru-cache';
import type { DataSource } from 'typeorm';
import {
  SCHEMA,
  SCHEMA_DEPENDENCY,
  schemaVersionOf,
  type KnownSchemaVersion,
} from '../core/schema-version.js';
import type { Catalogue } from '../core/table-facts.js';
import { randomToken } from '../core/token.js';
import { WHOLE_TABLE } from '../core/version-name.js';
import type { VersionStore } from '../core/version-store.js';
import { regionPropertiesOf } from '../cache-region.decorator.js';
import { loadCatalogue, type RunSql } from './catalogue.js';
import type { CatalogueLookup } from './catalogue-lookup.js';
import { overAnotherConnection } from './lost-connection.js';
import type { SessionNames } from './session-names.js';
import { QueryKeys } from './query-key.js';
import { SESSION, type Session } from './session-context.js';
import { loadParser, SqlAnalyser } from './sql-analyser.js';
import { IS_STANDBY, type StandbyWatch } from './standby-watch.js';
import { inOwnTransaction } from './transaction-end.js';

const LOOK_AGAIN_MS = 1_000;

/**
 * For the transaction in which a catalogue is read: the server takes the queries for so expensive that it
 * compiles them, which takes seconds, where they take milliseconds.
 */
export const PLAIN_PLANS = 'SET LOCAL jit = off';

/** Connections with names of their own whose meaning is remembered. */
const MOST_SESSIONS = 20;

/** A catalogue and what statements mean under it. */
export interface Meaning {
  readonly catalogue: Catalogue;
  readonly analyser: SqlAnalyser;
}

interface KnownSchema {
  readonly catalogue: CatalogueLookup;
  /** By the names that are valid over some connection. */
  readonly elsewhere: LRUCache<string, Meaning>;
  readonly analyser: SqlAnalyser;
  readonly keys: QueryKeys;
  readonly session: Session;
}

export interface DatabaseSchemaParts {
  readonly source: DataSource;
  readonly versions: VersionStore;
  /** Keeps the keys apart from those of other services, databases and releases. */
  readonly scope: readonly string[];
  readonly markLeaseMs: number;
  readonly standby: StandbyWatch;
}

export class DatabaseSchema implements KnownSchemaVersion {
  #known: KnownSchema | undefined;
  #loading: Promise<void> | undefined;
  #isOutdated = false;
  /** The version of the schema that was read before the catalogue was. */
  #version: string | undefined;
  /** Someone may have changed the schema past the service, and so past its version. */
  #mustLookAgain = false;
  #lookedAgainAtMs = -Infinity;

  constructor(private readonly parts: DatabaseSchemaParts) {}

  get catalogue(): Catalogue {
    return this.#require().catalogue;
  }

  /** What statements mean over a connection with names of its own; `undefined`: with those of all. */
  meaningUnder(names: SessionNames | undefined): Meaning {
    const known = this.#require();
    if (!names) return known;
    const key = JSON.stringify(names);
    let meaning = known.elsewhere.get(key);
    if (!meaning) {
      const catalogue = known.catalogue.under(names);
      meaning = { catalogue, analyser: new SqlAnalyser(catalogue, { maxTexts: 500 }) };
      known.elsewhere.set(key, meaning);
    }
    return meaning;
  }

  /** Whether names that are looked up along this path find what the catalogue finds by them. */
  isUsualPath(searchPath: readonly string[]): boolean {
    const usual = this.#require().catalogue.searchPath;
    return JSON.stringify(searchPath) === JSON.stringify(usual);
  }

  get analyser(): SqlAnalyser {
    return this.#require().analyser;
  }

  get keys(): QueryKeys {
    return this.#require().keys;
  }

  /** The role and settings that are part of the keys (session-context.ts). */
  get session(): Session {
    return this.#require().session;
  }

  /** Whether the schema may have changed since the catalogue was loaded. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  markOutdated(): void {
    this.#isOutdated = true;
  }

  isCurrent(version: string | undefined): boolean {
    // Without a version nothing can be said, also not that the catalogue is to be loaded anew.
    if (version === undefined) return false;
    if (version === this.#version) return true;
    this.#isOutdated = true;
    return false;
  }

  /** Whether the catalogue at hand surely belongs to the present version of the schema. */
  async isPresent(): Promise<boolean> {
    return this.isCurrent(await this.#presentVersion().catch(() => undefined));
  }

  /**
   * Loads the catalogue once more because a table was not found in it: someone else may have made
   * it. Answers whether it did; now and then at the most.
   */
  async lookAgain(): Promise<boolean> {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAgainAtMs < LOOK_AGAIN_MS) return false;
    this.#lookedAgainAtMs = nowMs;
    await this.reload();
    return true;
  }

  /** Loads the catalogue whether or not the version of the schema is another one. */
  async reload(): Promise<void> {
    this.#mustLookAgain = true;
    this.#isOutdated = true;
    await this.load();
  }

  /**
   * The server has read its configuration anew, which may have changed the settings in the keys.
   * Ends the answers of all instances, which then load the catalogue and the settings again.
   */
  async reconfigured(): Promise<void> {
    this.#mustLookAgain = true;
    this.#isOutdated = true;
    const writeId = randomToken();
    const tables = [{ table: SCHEMA, names: [WHOLE_TABLE] }];
    const mark = { writeId, backendPid: 0, tables };
    await this.parts.versions.begin(mark, randomToken(), this.parts.markLeaseMs);
    await this.parts.versions.end(writeId, [SCHEMA], randomToken());
  }

  /**
   * Loads the catalogue unless it is known and up to date; concurrent calls share the work. One that is
   * being loaded may lack what has changed since it was begun.
   */
  async load(): Promise<void> {
    await this.#loading?.catch(() => undefined);
    if (this.#known && !this.#isOutdated) return;
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /**
   * Over a connection of its own, on the primary. A standby may have an older catalog than the version says: what
   * it has serves reads past the cache where nothing else is known, and counts as outdated.
   */
  async #reload(): Promise<void> {
    await loadParser();
    // What changes from here on makes it outdated once more.
    this.#isOutdated = false;
    const version = await this.#presentVersion().catch(() => undefined);
    if (version !== undefined && version === this.#version && !this.#mustLookAgain) return;
    this.#mustLookAgain = false;
    try {
      const { known, isStandby } = await overAnotherConnection(() => this.#readOnce());
      if (!isStandby || !this.#known) this.#known = known;
      this.#version = isStandby ? undefined : version;
      this.#isOutdated ||= isStandby;
      this.#mustLookAgain ||= isStandby;
      if (isStandby) this.parts.standby.met();
    } catch (error) {
      this.#isOutdated = true;
      throw error;
    }
  }

  #readOnce(): Promise<{ readonly known: KnownSchema; readonly isStandby: boolean }> {
    return inOwnTransaction(this.parts.source, 'START TRANSACTION READ ONLY', async (runner) => {
      const run: RunSql = async (sql, parameters) =>
        (await runner.query(sql, parameters)) as Record<string, unknown>[];
      await run(PLAIN_PLANS, []);
      const [row] = await run(`SELECT ${IS_STANDBY} AS "isStandby"`, []);
      return { known: await this.#read(run), isStandby: row?.['isStandby'] === true };
    });
  }

  async #presentVersion(): Promise<string | undefined> {
    const [reading] = await this.parts.versions.read([SCHEMA_DEPENDENCY]);
    return schemaVersionOf(reading);
  }

  async #read(run: RunSql): Promise<KnownSchema> {
    const [row] = (await run(`SELECT ${SESSION}`, [])) as unknown as [Session];
    const catalogue = await loadCatalogueOf(this.parts.source, run);
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const context = [...this.parts.scope, timeZone, ...row.context, catalogue.fingerprint];
    return {
      catalogue,
      analyser: new SqlAnalyser(catalogue),
      elsewhere: new LRUCache({ max: MOST_SESSIONS }),
      keys: new QueryKeys(context),
      session: row,
    };
  }

  #require(): KnownSchema {
    if (!this.#known) throw new Error('The catalogue of the database has not been loaded yet.');
    return this.#known;
  }
}

/** The catalogue, with the dimensions that the entities of the data source name. */
export async function loadCatalogueOf(source: DataSource, run: RunSql): Promise<CatalogueLookup> {
  const [row] = await run('SELECT pg_catalog.current_schema()::text AS schema', []);
  const schema = (row?.['schema'] as string | null | undefined) ?? 'public';
  return loadCatalogue(run, regionColumnsOf(source, schema));
}

/** The columns named by `@CacheRegion`, by table. */
function regionColumnsOf(
  source: DataSource,
  defaultSchema: string,
): ReadonlyMap<string, readonly string[]> {
  const columns = new Map<string, readonly string[]>();
  for (const metadata of source.entityMetadatas) {
    if (typeof metadata.target !== 'function') continue;
    const names = regionPropertiesOf(metadata.target).map((property) => {
      const column = metadata.findColumnWithPropertyName(property);
      if (!column) {
        throw new Error(
          `@CacheRegion of ${metadata.name} names \`${property}\`, which is no column: ` +
            'name a property that has @Column.',
        );
      }
      return column.databaseName;
    });
    if (names.length > 0) {
      columns.set(`${metadata.schema ?? defaultSchema}.${metadata.tableName}`, names);
    }
  }
  return columns;
}
