/** Caches the catalog of the database, with the statement analysis and the keys derived from it. */
import { LRUCache } from 'lru-cache';
import type { DataSource } from 'typeorm';
import { allBuckets, replaceVersions, requireAll } from '../../core/buckets.js';
import {
  schemaDependency,
  schemaVersionOf,
  schemaWrite,
  type KnownSchemaVersion,
} from '../../core/schema-version.js';
import type { Catalog } from '../../core/table-facts.js';
import { isInDoubt, randomToken } from '../../core/versions.js';
import type { VersionStore } from '../../core/ports/version-store.js';
import { regionPropertiesOf } from '../cache-region.decorator.js';
import { loadCatalog } from '../../postgres/catalog/catalog.js';
import type { CatalogLookup } from '../../postgres/catalog/catalog-lookup.js';
import type { SchemaCurrency } from '../../postgres/capture/capture-parts.js';
import type { RunSql } from '../../postgres/postgres-client.js';
import { overAnotherConnection } from './lost-connection.js';
import { readPrimary } from './own-question.js';
import type { SessionNames } from '../../postgres/catalog/session-names.js';
import { QueryKeys } from '../queries/query-key.js';
import { SESSION, type Session } from './session-context.js';
import { SqlAnalyser } from '../../postgres/analysis/sql-analyser.js';
import { loadParser } from '../../postgres/analysis/syntax-tree.js';
import { IS_STANDBY } from '../../postgres/standby.js';
import type { StandbyWatch } from './standby-watch.js';

const RELOAD_PAUSE_MS = 1_000;

/**
 * For the transaction that reads a catalog: JIT compilation of its queries takes seconds, their execution milliseconds.
 */
export const PLAIN_PLANS = 'SET LOCAL jit = off';

/** Most combinations of search path and temporary tables whose analysis is cached. */
const MAX_SESSIONS = 20;

/** A catalog, and the analysis of statements under it. */
export interface AnalysedCatalog {
  readonly catalog: Catalog;
  readonly analyser: SqlAnalyser;
}

interface KnownSchema extends AnalysedCatalog {
  readonly catalog: CatalogLookup;
  /** By the names of a connection that differ from the usual ones. */
  readonly elsewhere: LRUCache<string, AnalysedCatalog>;
  readonly keys: QueryKeys;
  readonly session: Session;
}

export interface CatalogCacheParts {
  readonly source: DataSource;
  readonly versions: VersionStore;
  /** Separates the keys from those of other services, databases and releases. */
  readonly scope: readonly string[];
  readonly markLeaseMs: number;
  readonly standby: StandbyWatch;
}

export class CatalogCache implements KnownSchemaVersion {
  #known: KnownSchema | undefined;
  #loading: Promise<void> | undefined;
  #isOutdated = false;
  /** By bucket: the schema version that was read before the catalog; absent if it could not be read. */
  #versions: ReadonlyMap<number, string> = new Map();
  /** A change may have bypassed the service, and so the schema version. */
  #mustReload = false;
  #reloadedAtMs = -Infinity;

  constructor(private readonly parts: CatalogCacheParts) {}

  get catalog(): Catalog {
    return this.#require().catalog;
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

  /** The catalog and analysis for a connection with these names; `undefined`: the usual names. */
  catalogFor(names: SessionNames | undefined): AnalysedCatalog {
    const known = this.#require();
    if (!names) return known;
    const key = JSON.stringify(names);
    let analysed = known.elsewhere.get(key);
    if (!analysed) {
      const catalog = known.catalog.under(names);
      analysed = { catalog, analyser: new SqlAnalyser(catalog, 500) };
      known.elsewhere.set(key, analysed);
    }
    return analysed;
  }

  /** Whether names resolve along this search path as they do in the catalog. */
  isUsualPath(searchPath: readonly string[]): boolean {
    const usual = this.#require().catalog.searchPath;
    return JSON.stringify(searchPath) === JSON.stringify(usual);
  }

  /** A change of the schema from now on may be missing in the catalog. */
  get hasBegunToLoad(): boolean {
    return this.#known !== undefined || this.#loading !== undefined;
  }

  /** Whether the schema may have changed since the catalog was loaded. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  markOutdated(): void {
    this.#isOutdated = true;
  }

  isOfVersion(bucket: number, version: string | undefined): boolean {
    // Version unknown: neither current nor known to be outdated.
    if (version === undefined) return false;
    if (version === this.#versions.get(bucket)) return true;
    this.#isOutdated = true;
    return false;
  }

  /**
   * `current` if no bucket that can be reached shows a change of the schema since the catalog was loaded: such a change
   * marks and replaces the version in all of them.
   */
  async currency(): Promise<SchemaCurrency> {
    const { versions, isChanging } = await this.#currentVersions();
    if (isChanging) return 'outdated';
    if (versions.size === 0) return 'unknown';
    const isCurrent = [...versions].every(([bucket, version]) => this.isOfVersion(bucket, version));
    return isCurrent ? 'current' : 'outdated';
  }

  async isCurrent(): Promise<boolean> {
    return (await this.currency()) === 'current';
  }

  /** Reloads the catalog for a table that is not in it, at most once a second. Returns whether it did. */
  async reloadIfDue(): Promise<boolean> {
    const nowMs = performance.now();
    if (nowMs - this.#reloadedAtMs < RELOAD_PAUSE_MS) return false;
    this.#reloadedAtMs = nowMs;
    await this.reload();
    return true;
  }

  /** Loads the catalog even if the schema version is unchanged. */
  async reload(): Promise<void> {
    this.#mustReload = true;
    this.#isOutdated = true;
    await this.load();
  }

  /**
   * Call when the server has reloaded its configuration, which may have changed the settings in the keys. Invalidates
   * the answers of all instances, which then reload the catalog and the settings.
   */
  async reconfigured(): Promise<void> {
    this.#mustReload = true;
    this.#isOutdated = true;
    const { versions: store, markLeaseMs: leaseMs } = this.parts;
    const tables = allBuckets(store).map(schemaWrite);
    await requireAll(replaceVersions({ store, token: randomToken, leaseMs }, tables));
  }

  /**
   * Loads the catalog unless it is loaded and not outdated; concurrent calls share one load. A call first waits for a
   * load under way and does not share it: that load may miss changes made after it began.
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
   * A standby may have an older catalog than the version says: it counts as outdated, and is used only if there is no
   * other.
   */
  async #reload(): Promise<void> {
    await loadParser();
    // A change from here on marks the catalog outdated again.
    this.#isOutdated = false;
    const { versions } = await this.#currentVersions();
    if (!this.#mustReload && this.#areOfCatalog(versions)) return;
    this.#mustReload = false;
    try {
      const { known, isStandby } = await overAnotherConnection(() => this.#read());
      if (!isStandby || !this.#known) this.#known = known;
      this.#versions = isStandby ? new Map() : versions;
      this.#isOutdated ||= isStandby;
      this.#mustReload ||= isStandby;
      if (isStandby) this.parts.standby.met();
    } catch (error) {
      this.#isOutdated = true;
      throw error;
    }
  }

  #read(): Promise<{ readonly known: KnownSchema; readonly isStandby: boolean }> {
    const { source, scope } = this.parts;
    return readPrimary(source, async (run) => {
      await run(PLAIN_PLANS);
      const found = await run(`SELECT ${IS_STANDBY} AS "isStandby", ${SESSION}`);
      const [session] = found as unknown as [Session & { readonly isStandby: boolean }];
      const catalog = await loadCatalogOf(source, run);
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      const known = {
        catalog,
        analyser: new SqlAnalyser(catalog),
        elsewhere: new LRUCache<string, AnalysedCatalog>({ max: MAX_SESSIONS }),
        keys: new QueryKeys([...scope, timeZone, ...session.context, catalog.fingerprint]),
        session,
      };
      return { known, isStandby: session.isStandby };
    });
  }

  #areOfCatalog(versions: ReadonlyMap<number, string>): boolean {
    if (versions.size < this.parts.versions.buckets) return false;
    return [...versions].every(([bucket, version]) => version === this.#versions.get(bucket));
  }

  /** By bucket, without those that cannot be reached or trusted; and whether a change of the schema is under way. */
  async #currentVersions() {
    const { versions: store } = this.parts;
    const versions = new Map<number, string>();
    let isChanging = false;
    const readings = allBuckets(store).map(async (bucket) => {
      const [reading] = await store.read([schemaDependency(bucket)]);
      const version = schemaVersionOf(reading);
      if (version !== undefined) versions.set(bucket, version);
      const [text = ''] = reading?.versions ?? [];
      isChanging ||= isInDoubt(text);
    });
    await Promise.allSettled(readings);
    return { versions, isChanging };
  }

  #require(): KnownSchema {
    if (!this.#known) throw new Error('The catalog of the database has not been loaded yet.');
    return this.#known;
  }
}

/** The catalog, with the dimensions that the entities of the data source name. */
export async function loadCatalogOf(source: DataSource, run: RunSql): Promise<CatalogLookup> {
  const [row] = await run('SELECT pg_catalog.current_schema()::text AS schema');
  const schema = (row?.['schema'] as string | null | undefined) ?? 'public';
  return loadCatalog(run, regionColumnsOf(source, schema));
}

/** The columns named by `@CacheRegion`, by table. */
function regionColumnsOf(
  source: DataSource,
  defaultSchema: string,
): ReadonlyMap<string, readonly string[]> {
  const columns = new Map<string, readonly string[]>();
  for (const metadata of source.entityMetadatas) {
    const { name, target, schema = defaultSchema, tableName } = metadata;
    if (typeof target !== 'function') continue;
    const names = regionPropertiesOf(target).map((property) => {
      const column = metadata.findColumnWithPropertyName(property);
      if (column) return column.databaseName;
      throw new Error(
        `@CacheRegion of ${name} names \`${property}\`, which is no column: ` +
          'name a property that has @Column.',
      );
    });
    if (names.length > 0) columns.set(`${schema}.${tableName}`, names);
  }
  return columns;
}
