/** Checks the imports of an application before anything connects. */
import type { InjectionToken } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { dataSourceNameOf } from './tokens.js';

export interface ImportedModule {
  readonly name: 'QueryCacheModule' | 'CacheInvalidationModule';
  /** The name of the data source. */
  readonly dataSource: string;
  /** A provider that each import of the module has. */
  readonly token: InjectionToken;
}

/** @throws Error if the module is imported by two calls of `forRoot`. */
export function requireOnce(discovery: DiscoveryService, module: ImportedModule): void {
  if (countOf(discovery, module) < 2) return;
  const { name, dataSource } = module;
  throw new Error(
    `${name}.forRoot() is imported twice for the data source "${dataSource}", which can have one cache: import it ` +
      'once, in the root module. Its providers are available in every module, also where the same object is imported ' +
      "again. A second data source gets a cache by its name: forRoot({ dataSource: 'name' }).",
  );
}

/** @throws Error if nothing follows the writes of the data source, or two options contradict each other. */
export function requireWriteSide(
  discovery: DiscoveryService,
  module: ImportedModule,
  { readOnly, enabled }: Pick<QueryCacheOptions, 'readOnly' | 'enabled'>,
): void {
  if (!enabled) return;
  const isImported = countOf(discovery, module) > 0;
  const { dataSource } = module;
  const line = `CacheInvalidationModule.forRoot(${argumentsOf(dataSource)})`;
  if (isImported && readOnly) {
    throw new Error(
      `QueryCacheModule option \`readOnly\` says that nothing is written over the data source "${dataSource}", and ` +
        `${line} follows its writes: leave one of them out.`,
    );
  }
  if (isImported || readOnly) return;
  throw new Error(
    `Nothing follows the writes of the data source "${dataSource}", so its answers would become stale. Add the line ` +
      `that is missing beside QueryCacheModule: imports: [..., ${line}]. Where nothing is written over the data ` +
      'source, say so: QueryCacheModule.forRoot({ readOnly: true }).',
  );
}

/** @throws Error that names the data sources that there are. */
export function requireDataSource(
  discovery: DiscoveryService,
  name: string,
  source: DataSource | undefined,
): DataSource {
  if (source?.options.type === 'postgres') return source;
  if (source) {
    throw new Error(
      `The data source "${name}" has the type ${source.options.type}, and the cache is made for PostgreSQL 15 or ` +
        'later: set `type: "postgres"`, or leave QueryCacheModule out for this data source.',
    );
  }
  const names = discovery.getProviders().flatMap(({ token }) => dataSourceNameOf(token) ?? []);
  const others = [...new Set(names)].filter((other) => other !== name);
  const missing = `QueryCacheModule needs the data source "${name}", which the application does not have`;
  throw new Error(
    others.length === 0
      ? `${missing}: import TypeOrmModule.forRoot({ type: 'postgres', ... }) beside it.`
      : `${missing}. It has ${others.map((other) => `"${other}"`).join(', ')}: name one of them, as in ` +
          `QueryCacheModule.forRoot(${argumentsOf(others[0] ?? '')}).`,
  );
}

/** The argument of `forRoot` for a data source. */
export function argumentsOf(dataSource: string): string {
  return dataSource === DEFAULT_DATA_SOURCE ? '' : `{ dataSource: '${dataSource}' }`;
}

function countOf(discovery: DiscoveryService, { token }: ImportedModule): number {
  return discovery.getProviders().filter((provider) => provider.token === token).length;
}
