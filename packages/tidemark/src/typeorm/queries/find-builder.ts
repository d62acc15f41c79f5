import {
  EntitySchema,
  type EntityManager,
  type EntityTarget,
  type FindManyOptions,
  type ObjectLiteral,
  type SelectQueryBuilder,
} from 'typeorm';
import type { QueryShape } from './bound-query.js';

/** The shapes that find options can have. */
export type FindShape = Exclude<QueryShape, 'raw'>;

/**
 * The builder that TypeORM's `find`, `findOne`, `count`, `exists` and `findAndCount` make.
 *
 * @throws TypeError if `one` has no `where`, as `findOne` does: it would answer with any row.
 */
export function findBuilder<E extends ObjectLiteral>(
  manager: EntityManager,
  entity: EntityTarget<E>,
  options: FindManyOptions<E>,
  shape: FindShape,
): SelectQueryBuilder<ObjectLiteral> {
  const { name } = manager.getRepository(entity).metadata;
  if (shape === 'one' && !options.where) {
    throw new TypeError(`A query for one ${name} needs \`where\` in its find options.`);
  }
  const builder = manager.createQueryBuilder(entity, name);
  // In TypeORM 0.3, a builder of one entity is not assignable to a builder of any.
  const found: unknown = builder.setFindOptions(
    shape === 'one' ? { ...options, take: 1 } : options,
  );
  return found as SelectQueryBuilder<ObjectLiteral>;
}

/** The name of an entity in events, without its metadata. */
export function nameOfTarget(entity: EntityTarget<ObjectLiteral>): string {
  if (typeof entity === 'string') return entity;
  return entity instanceof EntitySchema ? entity.options.name : entity.name;
}
