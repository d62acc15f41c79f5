/** The data source of a command, in a module as the commands of TypeORM take it. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';

export interface LoadedDataSource {
  readonly source: DataSource;
  readonly namespace: string | undefined;
}

/**
 * The data source that the module exports, and the namespace if it exports one.
 *
 * @throws Error that names the file.
 */
export async function loadDataSource(file: string): Promise<LoadedDataSource> {
  const loaded = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  // A module of CommonJS has its exports in `default` too.
  const modules = [loaded, loaded['default']].filter(isObject);
  // An export may be a promise, as TypeORM's commands take it.
  const values = await Promise.all(modules.flatMap((all) => [all, ...Object.values(all)]));
  const [source, ...others] = new Set(values.filter(isDataSource));
  if (!source || others.length > 0) {
    const found = source ? `${others.length + 1} data sources` : 'no DataSource';
    throw new Error(`${file} exports ${found}: export one, as for the commands of TypeORM.`);
  }
  const namespace = modules
    .map((exported) => exported['namespace'])
    .find((exported) => typeof exported === 'string');
  return { source, namespace };
}

/** Connects, and changes nothing in the database. */
export async function openDataSource(source: DataSource): Promise<void> {
  if (source.isInitialized) return;
  // As TypeORM's commands do: only the chosen action may change the database.
  source.setOptions({ synchronize: false, migrationsRun: false, dropSchema: false });
  await source.initialize();
}

/** The application may have another copy of TypeORM, so its class does not identify a data source. */
function isDataSource(value: unknown): value is DataSource {
  return isObject(value) && 'entityMetadatas' in value && typeof value['initialize'] === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
