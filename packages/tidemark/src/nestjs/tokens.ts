/** The injection tokens of the parts of a cache, by the name of its data source. */
import { Inject, type Abstract, type InjectionToken, type Type } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { QueryCache } from './query-cache.js';

/**
 * The token of a part of the cache of a data source, such as `CacheHealth`; for the default data source, its class.
 *
 * @param dataSource its name in `TypeOrmModule.forRoot({ name })`.
 */
export function getCacheToken<T>(
  part: Type<T> | Abstract<T>,
  dataSource = DEFAULT_DATA_SOURCE,
): InjectionToken<T> {
  return dataSource === DEFAULT_DATA_SOURCE ? part : `${dataSource}${part.name}`;
}

/** The token of the `QueryCache` of a data source; for the default one, the class. */
export function getQueryCacheToken(dataSource?: string): InjectionToken<QueryCache> {
  return getCacheToken(QueryCache, dataSource);
}

/** Injects the `QueryCache` of the named data source. */
export function InjectQueryCache(dataSource?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getQueryCacheToken(dataSource));
}

/** The token of `@nestjs/typeorm` for a data source. */
export function dataSourceToken(name: string): InjectionToken<DataSource> {
  return name === DEFAULT_DATA_SOURCE ? DataSource : `${name}${DataSource.name}`;
}

/** The name of the data source that the token stands for; `undefined`: another provider. */
export function dataSourceNameOf(token: InjectionToken): string | undefined {
  if (token === DataSource) return DEFAULT_DATA_SOURCE;
  return typeof token === 'string' ? /^(.+)DataSource$/.exec(token)?.[1] : undefined;
}
