import type { DataSource } from 'typeorm';
import { ValueCodec } from './core/value-codec.js';
import { entityClassesOf } from './sql/entity-classes.js';

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
      codec = new ValueCodec(entityClassesOf(this.source));
      this.#codecs.set(entityMetadatas, codec);
    }
    return codec;
  }
}
