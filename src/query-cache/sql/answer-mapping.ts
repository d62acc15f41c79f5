/** What TypeORM makes of a query's rows, as far as the SQL text does not say it. */
import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { classTextOf, fingerprintOf } from './entity-fingerprint.js';

type Join = SelectQueryBuilder<ObjectLiteral>['expressionMap']['joinAttributes'][number];

/** One text for each way to make entities of the same rows. */
export function mappingOf(
  { expressionMap: map }: SelectQueryBuilder<ObjectLiteral>,
  { subscribers }: DataSource,
): string {
  const entity = map.mainAlias?.hasMetadata ? map.mainAlias.metadata : undefined;
  return JSON.stringify([
    entity && fingerprintOf(entity),
    map.skip,
    map.take,
    map.options,
    // Decides on statements of their own that read relation ids.
    map.withDeleted,
    map.joinAttributes.map(joinParts),
    map.callListeners &&
      subscribers
        .filter((subscriber) => 'afterLoad' in subscriber)
        .map(({ constructor }) => classTextOf(constructor)),
  ]);
}

/** Two joins of one SQL text may lead to other entities, and to other properties. */
function joinParts(join: Join): unknown[] {
  const { entityOrProperty, metadata, relation } = join as Omit<Join, 'entityOrProperty'> & {
    readonly entityOrProperty: unknown;
  };
  return [
    join.alias.name,
    typeof entityOrProperty === 'string' ? entityOrProperty : undefined,
    relation && [relation.entityMetadata.name, relation.propertyPath],
    metadata && fingerprintOf(metadata),
    join.mapToProperty,
    join.isMappingMany,
  ];
}
