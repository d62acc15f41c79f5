/**
 * Distinguishes two mappings of one table: which property a column becomes, through which transformer, in an instance
 * of which class. None of that is in the SQL text, and another mapping of the table may share the cache.
 *
 * Code is identified by its source text. Values in its closure are not detected.
 */
import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import type { DataSource, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';

type ColumnMetadata = EntityMetadata['columns'][number];
type EmbeddedMetadata = EntityMetadata['embeddeds'][number];
type ExpressionMap = SelectQueryBuilder<ObjectLiteral>['expressionMap'];
type Join = ExpressionMap['joinAttributes'][number];

/** Metadata never changes once a data source is initialised. */
const FINGERPRINTS = new WeakMap<EntityMetadata, string>();
const CLASS_TEXTS = new WeakMap<object, string>();

/** One text for each way in which TypeORM creates entities from the same rows. */
export function mappingOf(map: ExpressionMap, { subscribers }: DataSource): string {
  return JSON.stringify([
    map.mainAlias?.hasMetadata && fingerprintOf(map.mainAlias.metadata),
    map.skip,
    map.take,
    map.options,
    // Decides on the separate statements that read relation ids.
    map.withDeleted,
    map.joinAttributes.map(joinParts),
    map.callListeners &&
      subscribers
        .filter((subscriber) => 'afterLoad' in subscriber)
        .map(({ constructor }) => classTextOf(constructor)),
  ]);
}

/** Two joins with one SQL text may lead to different entities and properties. */
function joinParts(join: Join): unknown[] {
  const { relation, metadata } = join;
  const entityOrProperty: unknown = join.entityOrProperty;
  return [
    join.alias.name,
    typeof entityOrProperty === 'string' ? entityOrProperty : undefined,
    relation && [relation.entityMetadata.name, relation.propertyPath],
    metadata && fingerprintOf(metadata),
    join.mapToProperty,
    join.isMappingMany,
  ];
}

export function fingerprintOf(metadata: EntityMetadata): string {
  let fingerprint = FINGERPRINTS.get(metadata);
  if (fingerprint === undefined) {
    fingerprint = hash('sha256', JSON.stringify(entityParts(metadata)), 'base64url');
    FINGERPRINTS.set(metadata, fingerprint);
  }
  return fingerprint;
}

/** The source text of a class and all that it inherits, even where its `toString` is overridden. */
export function sourceOf(target: object): string {
  const texts: string[] = [];
  for (
    let next: object | null = target;
    next && next !== Function.prototype;
    next = Object.getPrototypeOf(next) as object | null
  ) {
    texts.push(typeof next === 'function' ? Function.prototype.toString.call(next) : inspect(next));
  }
  return texts.join('\n');
}

/** A short text for a class or a function; any other value as a string. */
function classTextOf(target: unknown): string {
  if (typeof target !== 'function') return String(target);
  let text = CLASS_TEXTS.get(target);
  if (text === undefined) {
    text = hash('sha256', sourceOf(target), 'base64url');
    CLASS_TEXTS.set(target, text);
  }
  return text;
}

function entityParts(metadata: EntityMetadata): unknown[] {
  return [
    // The class defines field initialisers, accessors, listeners and `toJSON`.
    ownFieldsOf(metadata),
    metadata.columns.map(columnParts),
    metadata.relations.map((relation) => [
      ownFieldsOf(relation),
      relation.inverseEntityMetadata.name,
      relation.joinColumns.map((column) => [
        column.databaseName,
        column.referencedColumn && columnParts(column.referencedColumn),
      ]),
    ]),
    metadata.embeddeds.map(embeddedParts),
    metadata.listeners.map(ownFieldsOf),
    metadata.childEntityMetadatas.map(fingerprintOf),
  ];
}

function columnParts(column: ColumnMetadata): unknown[] {
  const transformers = column.transformer ? [column.transformer].flat() : [];
  return [
    ownFieldsOf(column),
    column.enum,
    transformers.map((transformer) => [
      String(Reflect.get(transformer, 'from')),
      classTextOf(transformer.constructor),
      inspect(transformer, { depth: 4 }),
    ]),
  ];
}

function embeddedParts(embedded: EmbeddedMetadata): unknown[] {
  return [
    ownFieldsOf(embedded),
    embedded.listeners.map(ownFieldsOf),
    embedded.embeddeds.map(embeddedParts),
  ];
}

/** The names, flags, classes and functions of the metadata itself, without the objects that it refers to. */
function ownFieldsOf(metadata: object): unknown[] {
  return Object.entries(metadata)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => [name, classTextOf(value)]);
}
