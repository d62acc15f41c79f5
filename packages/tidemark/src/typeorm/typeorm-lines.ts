/** The differences between TypeORM 0.3 and 1.x. Each is found on the object, not by a version. */
import type { DataSource, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/** TypeORM 0.3 does not export this type. */
export type RelationMetadata = EntityMetadata['relations'][number];

interface Owner {
  readonly dataSource?: DataSource;
  readonly connection: DataSource;
}

interface CountsInBuilder {
  readonly relationCountAttributes?: readonly unknown[];
}

interface CountsInEntity {
  readonly relationCounts?: readonly unknown[];
}

/** TypeORM 0.3 calls it `connection`, a name that 1.x deprecates. */
export function dataSourceOf(owner: SelectQueryBuilder<ObjectLiteral>): DataSource {
  const { dataSource = (owner as Owner).connection } = owner as Owner;
  return dataSource;
}

/**
 * Whether TypeORM 0.3 counts relations by further statements: `loadRelationCountAndMap`, `@RelationCount`. TypeORM 1.x
 * has neither.
 *
 * @param entities the entities of the main alias and of the joins.
 */
export function countsRelations(
  { expressionMap }: SelectQueryBuilder<ObjectLiteral>,
  entities: readonly EntityMetadata[],
): boolean {
  const { relationCountAttributes = [] } = expressionMap as CountsInBuilder;
  return (
    relationCountAttributes.length > 0 ||
    entities.some((entity) => (entity as CountsInEntity).relationCounts?.length)
  );
}
