import type { DataSource, EntityMetadata } from 'typeorm';
import { ValueCodec, type Constructor } from './value-codec.js';
import { sourceOf } from '../queries/entity-fingerprint.js';
import { isLazy } from '../queries/separate-reads.js';

/** As it is written, and as compilers write it for older engines. */
const PRIVATE_NAME = /#[\p{ID_Start}$_\\]|_class_?private|__private/iu;

/** Encodes values with the entities of the data source, which builds them at each initialisation. */
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
 * The classes whose instances TypeORM makes from rows: entities and embedded classes, by name. Left out are
 * entities with lazy relations, since their loaders are no values, and classes with private names, which only the
 * class itself can read and restore.
 */
function entityClassesOf(entities: readonly EntityMetadata[]): ReadonlyMap<string, Constructor> {
  const classes = new Map<string, Constructor>();
  for (const metadata of entities) {
    if (isLazy(metadata)) continue;
    const targets: unknown[] = [metadata.target, ...metadata.allEmbeddeds.map(({ type }) => type)];
    for (const target of targets) {
      if (typeof target !== 'function' || PRIVATE_NAME.test(sourceOf(target))) continue;
      // Two classes of one name are told apart by the table they belong to.
      const isTaken = classes.has(target.name) && classes.get(target.name) !== target;
      const name = isTaken ? `${metadata.tablePath}/${target.name}` : target.name;
      classes.set(name, target as Constructor);
    }
  }
  return classes;
}
