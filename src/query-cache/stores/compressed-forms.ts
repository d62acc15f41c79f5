import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export type VariantEncoding = 'br' | 'gzip';

const BROTLI_QUALITY = 5;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** A body compressed, or `undefined` where that would not make it shorter. */
export type Variant = Promise<Buffer | undefined>;

/** Who keeps entries by their bytes. */
export interface Keeper<E> {
  /** The entry kept under the key has come to take more memory. */
  grown(key: string, entry: E): void;
}

/** The compressed forms of the body of one entry, each made in the thread pool when it is first wanted. */
export class CompressedForms<E extends { readonly body: Buffer }> {
  readonly #made = new Map<VariantEncoding, Variant>();
  #bytes = 0;
  #keeper: Keeper<E> | undefined;
  #key = '';

  /** Memory that the forms take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The keeper is told when the forms have come to take more memory. */
  keptBy(keeper: Keeper<E>, key: string): void {
    this.#keeper = keeper;
    this.#key = key;
  }

  /**
   * Made once, however many ask. Rejects where compressing fails; who asks next tries again.
   *
   * @param entry whose body it is.
   */
  of(entry: E, encoding: VariantEncoding): Variant {
    let variant = this.#made.get(encoding);
    if (!variant) {
      variant = this.#compress(entry, encoding);
      this.#made.set(encoding, variant);
      variant.catch(() => this.#made.delete(encoding));
    }
    return variant;
  }

  async #compress(entry: E, encoding: VariantEncoding): Variant {
    const { body } = entry;
    const compressed = await (encoding === 'gzip' ? gzipAsync(body) : brotli(body));
    if (compressed.length >= body.length) return undefined;
    const variant = ownBytes(compressed);
    this.#bytes += variant.length;
    this.#keeper?.grown(this.#key, entry);
    return variant;
  }
}

function brotli(body: Buffer): Promise<Buffer> {
  return brotliAsync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
}

/** The same bytes alone: a buffer that is a small part of a larger block keeps all of it in memory. */
export function ownBytes(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength === buffer.length) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}
