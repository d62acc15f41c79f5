import { isAscii } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { CacheEntry } from '../core/entry-store.js';

export type VariantEncoding = 'br' | 'gzip';

/** A shorter body is sent as it is: the saving would be lost in the packet. */
const SMALLEST_COMPRESSED_BYTES = 1_024;
/** A body up to this length is kept as a text where it is plain ASCII. */
const LONGEST_TEXT_BYTES = 4_096;
/** The object, the key, strings' headers and the places in maps, as measured. */
const OVERHEAD_BYTES = 400;
/** What a Buffer takes besides what it holds, as measured. */
const BUFFER_BYTES = 190;
const BROTLI_QUALITY = 5;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** Who keeps entries by their bytes. */
export interface Keeper {
  /** The entry kept under the key has come to take more memory. */
  grown(key: string, entry: L1Entry): void;
}

type Variant = Promise<Buffer | undefined>;

const NO_VARIANT: Variant = Promise.resolve(undefined);

/** An entry in memory, with the compressed forms of its body made when first wanted. */
export class L1Entry implements CacheEntry {
  readonly stamp: string;
  readonly empty: boolean;
  readonly tag: string;
  readonly createdAtMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it is sent. A short one is a text, which takes less memory besides its bytes. */
  readonly content: Buffer | string;
  readonly #ttlMs: number;
  #variants: Map<VariantEncoding, Variant> | undefined;
  #variantBytes = 0;
  #key = '';
  #keeper: Keeper | undefined;

  constructor(entry: CacheEntry) {
    this.stamp = entry.stamp;
    this.empty = entry.empty;
    this.tag = entry.tag;
    this.createdAtMs = entry.createdAtMs;
    this.headers = entry.headers;
    this.content = contentOf(entry.body);
    this.#ttlMs = entry.expiresAtMs - entry.createdAtMs;
  }

  get body(): Buffer {
    const { content } = this;
    return typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  }

  get expiresAtMs(): number {
    return this.createdAtMs + this.#ttlMs;
  }

  /** Memory the entry takes, its variants included. */
  get bytes(): number {
    let texts = this.stamp.length + this.tag.length;
    for (const [name, value] of Object.entries(this.headers)) texts += name.length + value.length;
    const ofBuffer = typeof this.content === 'string' ? 0 : BUFFER_BYTES;
    return OVERHEAD_BYTES + this.content.length + ofBuffer + texts + this.#variantBytes;
  }

  keptBy(keeper: Keeper, key: string): void {
    this.#keeper = keeper;
    this.#key = key;
  }

  /**
   * The body compressed, or `undefined` where that would not make it shorter. Made once, in the
   * thread pool, however many ask. Rejects where compressing fails.
   */
  variant(encoding: VariantEncoding): Variant {
    if (this.content.length < SMALLEST_COMPRESSED_BYTES) return NO_VARIANT;
    const variants = (this.#variants ??= new Map<VariantEncoding, Variant>());
    let variant = variants.get(encoding);
    if (!variant) {
      variant = this.#compress(encoding);
      variants.set(encoding, variant);
      variant.catch(() => variants.delete(encoding));
    }
    return variant;
  }

  async #compress(encoding: VariantEncoding): Variant {
    const { body } = this;
    const compressed =
      encoding === 'gzip'
        ? await gzipAsync(body)
        : await brotliAsync(body, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
            },
          });
    if (compressed.length >= body.length) return undefined;
    const variant = ownBytes(compressed);
    this.#variantBytes += variant.length;
    this.#keeper?.grown(this.#key, this);
    return variant;
  }
}

function contentOf(body: Buffer): Buffer | string {
  const isText = body.length <= LONGEST_TEXT_BYTES && isAscii(body);
  return isText ? body.toString('latin1') : ownBytes(body);
}

/** A buffer that is a small part of a larger block would keep all of it in memory. */
function ownBytes(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength === buffer.length) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}
