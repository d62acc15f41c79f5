/** What is known of the database: its catalogue, and the analysis and keys that follow from it. */
import type { DataSource } from 'typeorm';
import type { Catalogue } from '../core/table-facts.js';
import { regionPropertiesOf } from '../cache-region.decorator.js';
import { loadCatalogue } from './catalogue.js';
import { QueryKeys } from './query-key.js';
import { loadParser, SqlAnalyser } from './sql-analyser.js';

/** Settings that change what the same SQL text answers. */
const ANSWER_SETTINGS = [
  'search_path',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'bytea_output',
  'extra_float_digits',
  'server_version_num',
];

type RunSql = (sql: string, parameters: unknown[]) => Promise<Record<string, unknown>[]>;

interface KnownSchema {
  readonly catalogue: Catalogue;
  readonly analyser: SqlAnalyser;
  readonly keys: QueryKeys;
}

export class DatabaseSchema {
  #known: KnownSchema | undefined;
  #loading: Promise<void> | undefined;
  #isOutdated = false;

  constructor(
    private readonly source: DataSource,
    private readonly namespace: string,
  ) {}

  get catalogue(): Catalogue {
    return this.#require().catalogue;
  }

  get analyser(): SqlAnalyser {
    return this.#require().analyser;
  }

  get keys(): QueryKeys {
    return this.#require().keys;
  }

  /** Whether the schema may have changed since the catalogue was loaded. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  markOutdated(): void {
    this.#isOutdated = true;
  }

  /** Loads the catalogue unless it is known and up to date; concurrent calls share the work. */
  async load(): Promise<void> {
    if (this.#known && !this.#isOutdated) return;
    this.#loading ??= this.reload((sql, parameters) =>
      this.source.query<Record<string, unknown>[]>(sql, parameters),
    ).finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /** Loads the catalogue anew over the connection that `run` stands for. */
  async reload(run: RunSql): Promise<void> {
    await loadParser();
    this.#isOutdated = false;
    try {
      this.#known = await this.#read(run);
    } catch (error) {
      this.#isOutdated = true;
      throw error;
    }
  }

  async #read(run: RunSql): Promise<KnownSchema> {
    const settings = ANSWER_SETTINGS.map((name) => `current_setting('${name}')`).join(', ');
    const [row] = await run(
      `SELECT current_schema() AS schema, ARRAY[current_database()::text, current_user::text, ${settings}] AS context`,
      [],
    );
    const defaultSchema = String(row?.['schema'] ?? 'public');
    const catalogue = await loadCatalogue(run, regionColumnsOf(this.source, defaultSchema));
    const context = [this.namespace, ...(row?.['context'] as string[]), catalogue.fingerprint];
    return { catalogue, analyser: new SqlAnalyser(catalogue), keys: new QueryKeys(context) };
  }

  #require(): KnownSchema {
    if (!this.#known) throw new Error('The catalogue of the database has not been loaded yet.');
    return this.#known;
  }
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
