import type {
  EntityTarget,
  FindManyOptions,
  FindOneOptions,
  FindOptionsWhere,
  ObjectLiteral,
} from 'typeorm';
import type { Answered, BoundQuery } from '../typeorm/queries/bound-query.js';
import {
  countQuery,
  existsQuery,
  findAndCountQuery,
  findOneQuery,
  findQuery,
  sqlQuery,
  type InlineOptions,
  type MappingOptions,
} from '../typeorm/queries/inline-queries.js';
import type { RunOptions } from './lifetime.js';

type Where<E> = FindOptionsWhere<E> | FindOptionsWhere<E>[];
type Options = RunOptions & InlineOptions;

/** The finding methods of TypeORM's `EntityManager`, answered by the cache. They send the same SQL. */
export abstract class QueryCacheFinds {
  abstract run<Q extends BoundQuery>(query: Q, options?: RunOptions): Promise<Answered<Q>>;

  find<E extends ObjectLiteral, R = E>(
    entity: EntityTarget<E>,
    find?: FindManyOptions<E>,
    options: Options & MappingOptions<E, R> = {},
  ): Promise<R[]> {
    return this.run(findQuery(entity, find, options), options);
  }

  findBy<E extends ObjectLiteral, R = E>(
    entity: EntityTarget<E>,
    where: Where<E>,
    options?: Options & MappingOptions<E, R>,
  ): Promise<R[]> {
    return this.find(entity, { where }, options);
  }

  findOne<E extends ObjectLiteral, R = E>(
    entity: EntityTarget<E>,
    find: FindOneOptions<E>,
    options: Options & MappingOptions<E, R> = {},
  ): Promise<R | null> {
    return this.run(findOneQuery(entity, find, options), options);
  }

  findOneBy<E extends ObjectLiteral, R = E>(
    entity: EntityTarget<E>,
    where: Where<E>,
    options?: Options & MappingOptions<E, R>,
  ): Promise<R | null> {
    return this.findOne(entity, { where }, options);
  }

  /** Rows and count come from one snapshot. */
  findAndCount<E extends ObjectLiteral, R = E>(
    entity: EntityTarget<E>,
    find?: FindManyOptions<E>,
    options: Options & MappingOptions<E, R> = {},
  ): Promise<[rows: R[], count: number]> {
    return this.run(findAndCountQuery(entity, find, options), options);
  }

  count<E extends ObjectLiteral>(
    entity: EntityTarget<E>,
    find?: FindManyOptions<E>,
    options: Options = {},
  ): Promise<number> {
    return this.run(countQuery(entity, find, options), options);
  }

  exists<E extends ObjectLiteral>(
    entity: EntityTarget<E>,
    find?: FindManyOptions<E>,
    options: Options = {},
  ): Promise<boolean> {
    return this.run(existsQuery(entity, find, options), options);
  }

  /**
   * The rows of one SELECT, as `DataSource.query` gives them. Rejects with NotASelectError for any other statement.
   *
   * @param sql with `$1`, `$2`, ... for the parameters.
   */
  query<Row extends object = Record<string, unknown>, R = Row>(
    sql: string,
    parameters?: readonly unknown[],
    options: Options & MappingOptions<Row, R> = {},
  ): Promise<R[]> {
    return this.run(sqlQuery(sql, parameters, options), options);
  }
}
