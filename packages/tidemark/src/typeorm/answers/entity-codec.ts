import type { DataSource, EntityMetadata } from 'typeorm';
import { ValueCodec, type Constructor } from './value-codec.js';
import { sourceOf } from '../queries/entity-fingerprint.js';
import { isLazy } from '../queries/separate-reads.js';

/** Private names in source text, and as compilers emit them for older engines. */
const PRIVATE_NAME = /#[\p{ID_Start}$_\\]|_class_?private|__private/iu;

/**
 * Encodes values with the entity classes of the data source. TypeORM rebuilds the entity metadata at each
 * initialisation.
 */
export class EntityCodec {
  readonly #codecs = new WeakMap<object, ValueCodec>();

  constructor(private readonly source: DataSource) {}

  /** @throws UnencodableValueError */
  encode(value: unknown): Buffer {
    return this.#codec.encode(value);
  }

  decode(bytes: Buffer): unknown {
    return this.#codec.decode(bytes);
  }

  get #codec(): ValueCodec {
    const { entityMetadatas } = this.source;
    let codec = this.#codecs.get(entityMetadatas);
    if (!codec) {
      codec = new ValueCodec(entityClassesOf(entityMetadatas));
      this.#codecs.set(entityMetadatas, codec);
    }
    return codec;
  }
}

/**
 * The classes that TypeORM instantiates for rows: entities and embedded classes, by name. Two kinds are left out:
 * - entities with lazy relations: their loaders cannot be encoded;
 * - classes with private names: only the class itself can read and restore those.
 */
function entityClassesOf(entities: readonly EntityMetadata[]): ReadonlyMap<string, Constructor> {
  const classes = new Map<string, Constructor>();
  for (const metadata of entities) {
    if (isLazy(metadata)) continue;
    const targets: unknown[] = [metadata.target, ...metadata.allEmbeddeds.map(({ type }) => type)];
    for (const target of targets) {
      if (typeof target !== 'function' || PRIVATE_NAME.test(sourceOf(target))) continue;
      // The table path separates two classes with the same name.
      const isTaken = classes.has(target.name) && classes.get(target.name) !== target;
      const name = isTaken ? `${metadata.tablePath}/${target.name}` : target.name;
      classes.set(name, target as Constructor);
    }
  }
  return classes;
}
