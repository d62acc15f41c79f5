/** What TypeORM loads for entities past the SQL of their query. */
import type { EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { stateOf } from './builder-copy.js';

type Builder = SelectQueryBuilder<ObjectLiteral>;

/**
 * Whether further statements load relations (`relationLoadStrategy: 'query'`) or ids of relations
 * (`loadRelationIds`, `loadRelationIdAndMap`, `@RelationId`). Such a query is not cached.
 */
export function loadsSeparately(builder: Builder): boolean {
  const { relationLoadStrategy, relationIdAttributes } = builder.expressionMap;
  return (
    (relationLoadStrategy === 'query' && stateOf(builder).relationMetadatas.length > 0) ||
    relationIdAttributes.length > 0 ||
    // TypeORM makes attributes of these only while the query runs.
    selectedEntities(builder).some(({ relationIds }) => relationIds.length > 0)
  );
}

/** Whether entities of the answer may load relations when these are first looked at. */
export function loadsLazily(builder: Builder): boolean {
  return selectedEntities(builder).some(isLazy);
}

/** Whether TypeORM gives the entity's instances getters that load. */
export function isLazy({ lazyRelations }: EntityMetadata): boolean {
  return lazyRelations.length > 0;
}

function selectedEntities({ expressionMap }: Builder): EntityMetadata[] {
  const main = expressionMap.mainAlias?.hasMetadata ? [expressionMap.mainAlias.metadata] : [];
  const joined = expressionMap.joinAttributes.map(({ metadata }) => metadata);
  return [...main, ...joined.filter((metadata) => metadata !== undefined)];
}
