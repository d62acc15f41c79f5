/**
 * Finds the tables that TypeORM reads by separate statements beside a query's SQL: relations under
 * `relationLoadStrategy: 'query'`, and ids of relations (`loadRelationIds`, `loadRelationIdAndMap`, `@RelationId`).
 *
 * The result may name more tables than will be read; fill-audit.ts compares it with the statements that were sent.
 */
import type { DataSource, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { countsRelations, type RelationMetadata } from '../typeorm-lines.js';
import { stateOf } from './builder-copy.js';
import { fingerprintOf } from './entity-fingerprint.js';

export interface SeparateReads {
  /** A SELECT from every table that may be read; `undefined` if there is none. */
  readonly sql: string | undefined;
  /** All that decides which data is loaded and is not in the SQL of the query. */
  readonly description: string;
  /** Why the statements cannot be described beforehand; `undefined` if they can. */
  readonly obstacle: string | undefined;
  /** Whether entities of the answer may load relations on first access. */
  readonly hasLazyRelations: boolean;
}

type Builder = SelectQueryBuilder<ObjectLiteral>;

export function separateReadsOf(builder: Builder, source: DataSource): SeparateReads {
  const { findOptions, relationMetadatas } = stateOf(builder);
  const { expressionMap: map } = builder;
  const walk = new RelationWalk(findOptions.loadEagerRelations !== false);
  if (map.relationLoadStrategy === 'query') {
    for (const relation of relationMetadatas) {
      walk.follow(relation, subtree(findOptions.relations, relation.propertyPath));
    }
  }
  for (const { relation } of map.relationIdAttributes) walk.readIds(relation);
  // TypeORM turns these into attributes only while the query runs.
  for (const metadata of selectedEntities(builder)) walk.readDeclaredIds(metadata);
  const { select, order, relations, withDeleted, loadEagerRelations } = findOptions;
  const attributes = map.relationIdAttributes.map(
    ({ relationName, mapToProperty, alias, disableMixedMap }) => [
      relationName,
      mapToProperty,
      alias,
      disableMixedMap,
    ],
  );
  const tables = [...walk.tables].map(
    ({ schema, tableName }) =>
      (schema === undefined ? '' : `${source.driver.escape(schema)}.`) +
      source.driver.escape(tableName),
  );
  return {
    sql: tables.length > 0 ? `SELECT 1 FROM ${tables.join(', ')}` : undefined,
    description: walk.isUsed
      ? JSON.stringify([
          map.relationLoadStrategy,
          walk.steps,
          [...walk.entities].map(fingerprintOf),
          attributes,
          { select, order, relations, withDeleted, loadEagerRelations },
        ])
      : '',
    obstacle: obstacleIn(builder),
    hasLazyRelations: [...selectedEntities(builder), ...walk.tables].some(isLazy),
  };
}

function obstacleIn(builder: Builder): string | undefined {
  // A function adds a condition: no SQL known beforehand has its parameters.
  const isConditional = builder.expressionMap.relationIdAttributes.some(
    ({ queryBuilderFactory }) => queryBuilderFactory !== undefined,
  );
  if (isConditional) return 'the condition on loaded relation ids is not in the SQL of the query';
  if (!countsRelations(builder, selectedEntities(builder))) return undefined;
  return 'the counts of relations (loadRelationCountAndMap, @RelationCount) are not in the SQL of the query';
}

/** Follows relations to the tables behind them. */
class RelationWalk {
  readonly tables = new Set<EntityMetadata>();
  /** The entities at both ends of every relation met. */
  readonly entities = new Set<EntityMetadata>();
  /** The relations that were followed, in a form that distinguishes two mappings of one database. */
  readonly steps: unknown[] = [];
  readonly #eagerlyFollowed = new Set<RelationMetadata>();

  constructor(private readonly loadsEagerRelations: boolean) {}

  get isUsed(): boolean {
    return this.steps.length > 0;
  }

  /** @param named the relations requested below this one. */
  follow(relation: RelationMetadata, named: unknown): void {
    const { inverseEntityMetadata: target } = relation;
    this.#read(relation);
    this.#meet(relation);
    this.readDeclaredIds(target);
    for (const [next, below] of relationsNamed(target, named)) this.follow(next, below);
    if (!this.loadsEagerRelations) return;
    for (const eager of target.eagerRelations) {
      if (this.#eagerlyFollowed.has(eager)) continue;
      this.#eagerlyFollowed.add(eager);
      this.follow(eager, undefined);
    }
  }

  readIds(relation: RelationMetadata): void {
    this.#meet(relation);
    // The row itself contains the ids of an owned relation.
    if (!relation.isManyToOne && !relation.isOneToOneOwner) this.#read(relation);
  }

  readDeclaredIds(metadata: EntityMetadata): void {
    for (const { relation, propertyName, queryBuilderFactory } of metadata.relationIds) {
      this.readIds(relation);
      this.steps.push([propertyName, queryBuilderFactory?.toString()]);
    }
  }

  #meet({ entityMetadata, inverseEntityMetadata, propertyPath }: RelationMetadata): void {
    this.steps.push([entityMetadata.name, propertyPath]);
    this.entities.add(entityMetadata).add(inverseEntityMetadata);
  }

  #read({ inverseEntityMetadata, junctionEntityMetadata, entityMetadata }: RelationMetadata): void {
    this.tables.add(inverseEntityMetadata);
    if (junctionEntityMetadata) this.tables.add(junctionEntityMetadata);
    // TypeORM finds the rows again by their key; a composite key proves no restriction to a region.
    if (entityMetadata.primaryColumns.length > 1) this.tables.add(entityMetadata);
  }
}

function selectedEntities({ expressionMap }: Builder): EntityMetadata[] {
  const main = expressionMap.mainAlias?.hasMetadata ? [expressionMap.mainAlias.metadata] : [];
  const joined = expressionMap.joinAttributes.map(({ metadata }) => metadata);
  return [...main, ...joined.filter((metadata) => metadata !== undefined)];
}

/** Whether TypeORM adds lazy-loading getters to instances of the entity. */
export function isLazy({ lazyRelations }: EntityMetadata): boolean {
  return lazyRelations.length > 0;
}

/** The relations that find options name below an entity, including those in embedded objects. */
function relationsNamed(
  metadata: EntityMetadata,
  tree: unknown,
  prefix = '',
): [RelationMetadata, unknown][] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, below]: [string, unknown]) => {
    if (below !== true && typeof below !== 'object') return [];
    const path = prefix + name;
    const relation = metadata.findRelationWithPropertyPath(path);
    return relation ? [[relation, below]] : relationsNamed(metadata, below, `${path}.`);
  });
}

function subtree(tree: unknown, path: string): unknown {
  let below: unknown = tree;
  for (const name of path.split('.')) {
    below = typeof below === 'object' && below !== null ? Reflect.get(below, name) : undefined;
  }
  return below;
}
