/** Copies query builders, so that their creators can no longer change them. */
import type { FindManyOptions, ObjectLiteral, QueryBuilder, SelectQueryBuilder } from 'typeorm';
import type { RelationMetadata } from '../typeorm-lines.js';
import { ownCopyOf } from './own-copy.js';

type Builder = SelectQueryBuilder<ObjectLiteral>;

/** Protected in TypeORM's types. */
interface BuilderState {
  findOptions: FindManyOptions<ObjectLiteral>;
  relationMetadatas: RelationMetadata[];
}

export function stateOf(builder: Builder): BuilderState {
  return builder as unknown as BuilderState;
}

/**
 * A builder of the same query. Later changes to the original, its parameters and its find options do not affect it. The
 * exception are parameters that cannot be copied: they have no key and are never stored.
 */
export function copyOf(builder: Builder): Builder {
  const copy = builder.clone();
  const [from, to] = [stateOf(builder), stateOf(copy)];
  // TypeORM's `clone` omits these.
  to.findOptions = ownCopyOf(from.findOptions).value;
  to.relationMetadatas = [...from.relationMetadatas];
  copy.expressionMap.options = [...builder.expressionMap.options];
  detach(copy.expressionMap);
  return copy;
}

/** TypeORM's clone of an expression map still refers to parts of the original. */
function detach(map: Builder['expressionMap']): void {
  for (const [name, value] of Object.entries(map.parameters)) {
    map.parameters[name] = ownCopyOf<unknown>(value).value;
  }
  for (const attribute of [...map.joinAttributes, ...map.relationIdAttributes]) {
    Object.assign(attribute, { queryExpressionMap: map });
  }
  for (const { queryBuilder } of map.commonTableExpressions) {
    if (typeof queryBuilder === 'string') continue;
    detach((queryBuilder as QueryBuilder<ObjectLiteral>).expressionMap);
  }
}
