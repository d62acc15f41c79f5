/**
 * Tells two mappings of one table apart: which property a column becomes, through which
 * transformer, in an instance of which class. None of that is in the SQL text, and another release
 * of the service may share the cache with this one.
 *
 * Code is told by its text. Values that it closes over are not seen.
 */
import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import type { EntityMetadata, ValueTransformer } from 'typeorm';

type ColumnMetadata = EntityMetadata['columns'][number];
type EmbeddedMetadata = EntityMetadata['embeddeds'][number];
type RelationMetadata = EntityMetadata['relations'][number];

/** Metadata never changes once a data source is initialised. */
const FINGERPRINTS = new WeakMap<EntityMetadata, string>();
const CLASS_TEXTS = new WeakMap<object, string>();

export function fingerprintOf(metadata: EntityMetadata): string {
  let fingerprint = FINGERPRINTS.get(metadata);
  if (fingerprint === undefined) {
    fingerprint = hash('sha256', JSON.stringify(descriptionOf(metadata)), 'base64url');
    FINGERPRINTS.set(metadata, fingerprint);
  }
  return fingerprint;
}

/** A short text for a class as it is written, with all it inherits; of what is no class, its name. */
export function classTextOf(target: unknown): string {
  if (typeof target !== 'function') return String(target);
  let text = CLASS_TEXTS.get(target);
  if (text === undefined) {
    text = hash('sha256', sourceOf(target), 'base64url');
    CLASS_TEXTS.set(target, text);
  }
  return text;
}

/** A class as it is written, with all it inherits. */
export function sourceOf(target: object): string {
  return chainOf(target).map(textOf).join('\n');
}

function descriptionOf(metadata: EntityMetadata): unknown[] {
  return [
    metadata.name,
    metadata.tablePath,
    // Field initialisers, accessors, listeners and `toJSON`.
    classTextOf(metadata.target),
    metadata.discriminatorValue,
    metadata.columns.map(columnParts),
    metadata.relations.map(relationParts),
    metadata.embeddeds.map(embeddedParts),
    metadata.listeners.map(({ type, propertyName }) => [type, propertyName]),
    metadata.childEntityMetadatas.map(fingerprintOf),
  ];
}

function columnParts(column: ColumnMetadata): unknown[] {
  const { type, transformer } = column;
  return [
    column.propertyPath,
    column.databaseName,
    typeof type === 'function' ? type.name : type,
    column.isArray,
    column.isPrimary,
    column.isVirtual,
    column.isDiscriminator,
    column.enum,
    column.utc,
    column.hstoreType,
    transformer && [transformer].flat().map(transformerParts),
  ];
}

function transformerParts(transformer: ValueTransformer): unknown[] {
  return [
    String(Reflect.get(transformer, 'from')),
    classTextOf(transformer.constructor),
    inspect(transformer, { depth: 4 }),
  ];
}

function relationParts(relation: RelationMetadata): unknown[] {
  return [
    relation.propertyPath,
    relation.relationType,
    relation.isLazy,
    relation.isEager,
    relation.inverseEntityMetadata.name,
    relation.joinColumns.map((column) => [
      column.databaseName,
      column.referencedColumn && columnParts(column.referencedColumn),
    ]),
  ];
}

function embeddedParts(embedded: EmbeddedMetadata): unknown[] {
  return [
    embedded.propertyPath,
    embedded.isArray,
    classTextOf(embedded.type),
    embedded.listeners.map(({ type, propertyName }) => [type, propertyName]),
    embedded.embeddeds.map(embeddedParts),
  ];
}

/** A class's own text, whatever it has its `toString` say. */
function textOf(made: object): string {
  return typeof made === 'function' ? Function.prototype.toString.call(made) : inspect(made);
}

function chainOf(start: object): object[] {
  const chain: object[] = [];
  for (
    let next: object | null = start;
    next && next !== Function.prototype;
    next = Object.getPrototypeOf(next) as object | null
  ) {
    chain.push(next);
  }
  return chain;
}
