/**
 * Sends a fill's statement directly over its connection where TypeORM would add nothing: for plain rows, and for
 * entities with plain columns only. TypeORM would compile the query again, call subscribers, and convert each value
 * separately.
 */
import {
  QueryFailedError,
  SelectQueryBuilder,
  type DataSource,
  type EntityMetadata,
  type EntitySubscriberInterface,
  type ObjectLiteral,
  type QueryRunner,
} from 'typeorm';
import type { CompiledQuery } from './compiled-query.js';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import { isInTransaction } from '../database/transaction-end.js';

type ColumnMetadata = EntityMetadata['columns'][number];
type Rows = readonly ObjectLiteral[];

/** Marks a subscriber that follows only writes: fills, which are proven to write nothing, may skip it. */
export const FOLLOWS_WRITES_ALONE = Symbol('tidemark:follows-writes-alone');

const RUNNERS = ['getMany', 'getOne', 'getRawMany', 'getRawAndEntities'] as const;

/** Types whose values TypeORM passes on as the driver has read them. */
const PLAIN_TYPES: ReadonlySet<unknown> = new Set([
  String,
  ...'int int2 int4 int8 integer smallint bigint varchar text uuid bool boolean'.split(' '),
  ...['numeric', 'decimal', 'real', 'double precision', 'character varying'],
]);

/** Creates entities without their constructor, unless the data source is set to call it. */
const FROM_ROWS = { fromDeserializer: true };

/** The rows; `undefined` if a transaction is open over the connection, since the rows may show its writes. */
export type DirectRead = (runner: QueryRunner, client: PostgresClient) => Promise<Rows | undefined>;

/** `undefined` where TypeORM has more to do. The read rejects with a QueryFailedError. */
export function directReadOf(
  { sql, parameters, shape, builder, hasSeveralStatements }: CompiledQuery,
  source: DataSource,
): DirectRead | undefined {
  const isMore = hasSeveralStatements || source.options.maxQueryExecutionTime;
  if (isMore || !isOrdinary(builder) || source.subscribers.some(isSubscribedToReads))
    return undefined;
  const isOfEntities = shape === 'many' || shape === 'one';
  const answered = isOfEntities ? plainEntities(builder, source) : (rows: Rows): Rows => rows;
  if (!answered || (!isOfEntities && shape !== 'raw')) return undefined;
  return async (runner, client) => {
    let rows: Rows;
    source.logger.logQuery(sql, [...parameters], runner);
    try {
      ({ rows } = await client.query<ObjectLiteral>(sql, parameters as unknown[]));
    } catch (error) {
      source.logger.logQueryError(error as Error, sql, [...parameters], runner);
      throw new QueryFailedError(sql, [...parameters], error as Error);
    }
    if (isInTransaction(client)) return undefined;
    const all = answered(rows);
    return shape === 'one' ? all.slice(0, 1) : all;
  };
}

function isSubscribedToReads(subscriber: EntitySubscriberInterface): boolean {
  if ('afterLoad' in subscriber) return true;
  const isSubscribed = 'beforeQuery' in subscriber || 'afterQuery' in subscriber;
  return isSubscribed && !(FOLLOWS_WRITES_ALONE in subscriber);
}

/** Whether the builder runs its query with the unmodified methods of TypeORM. */
function isOrdinary(builder: SelectQueryBuilder<ObjectLiteral>): boolean {
  const ordinary = SelectQueryBuilder.prototype;
  return RUNNERS.every((name) => builder[name] === ordinary[name]);
}

/** Creates entities as TypeORM does; `undefined` if TypeORM does more than copy row values to properties. */
function plainEntities(
  { expressionMap: map }: SelectQueryBuilder<ObjectLiteral>,
  { driver }: DataSource,
): ((rows: Rows) => Rows) | undefined {
  const alias = map.mainAlias;
  if (!alias?.hasMetadata) return undefined;
  const { name, metadata } = alias;
  const fieldOf = ({ databaseName }: ColumnMetadata): string => `${name}_${databaseName}`;
  const selections = new Set(map.selects.map(({ selection }) => selection));
  const selected = metadata.columns.filter(
    ({ isVirtual, propertyPath }) =>
      !isVirtual && (selections.has(name) || selections.has(`${name}.${propertyPath}`)),
  );
  const used = [...metadata.primaryColumns, ...selected];
  const longest = driver.maxAliasLength ?? Infinity;
  const isMore =
    map.joinAttributes.length + map.relationIdAttributes.length + map.options.length > 0 ||
    metadata.tableType !== 'regular' ||
    metadata.discriminatorColumn !== undefined ||
    metadata.lazyRelations.length + metadata.relationIds.length > 0 ||
    metadata.afterLoadListeners.length > 0 ||
    used.some((column) => !isPlain(column) || fieldOf(column).length > longest);
  if (isMore) return undefined;
  const keys = metadata.primaryColumns.map(fieldOf);
  const properties = selected.map((column) => [column.propertyName, fieldOf(column)] as const);
  return (rows) => {
    const entities: ObjectLiteral[] = [];
    for (const row of withoutRepeats(rows, keys)) {
      const entity = metadata.create(undefined, FROM_ROWS) as ObjectLiteral;
      let hasData = false;
      for (const [property, field] of properties) {
        const value: unknown = row[field];
        if (value === undefined) continue;
        if (value !== null) hasData = true;
        entity[property] = value;
      }
      if (hasData) entities.push(entity);
    }
    return entities;
  };
}

function isPlain(column: ColumnMetadata): boolean {
  const { type, isArray, isVirtual, isVirtualProperty, transformer, embeddedMetadata } = column;
  const isConverted = isArray || isVirtual || isVirtualProperty || transformer || embeddedMetadata;
  return !isConverted && PLAIN_TYPES.has(type);
}

/** The first row of each primary key, with keys formatted as in TypeORM; all rows if the keys are not selected. */
function withoutRepeats(rows: Rows, keys: readonly string[]): Rows {
  const [first] = rows;
  if (!first || !keys.some((key) => key in first)) return rows;
  const seen = new Set<string>();
  return rows.filter((row) => {
    const before = seen.size;
    return seen.add(keys.map((key) => keyPart(row[key])).join('_')).size > before;
  });
}

function keyPart(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
