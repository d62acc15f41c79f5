import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { CacheEntry } from '../core/entry-store.js';

export type VariantEncoding = 'br' | 'gzip';

/** A shorter body is sent as it is: the saving would be lost in the packet. */
const SMALLEST_COMPRESSED_BYTES = 1_024;
/** Objects, strings' headers, the key and the places in maps, as measured. */
const OVERHEAD_BYTES = 640;
const BROTLI_QUALITY = 5;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** Who keeps entries by their bytes. */
export interface Keeper {
  /** The entry kept under the key has come to take more memory. */
  grown(key: string, entry: L1Entry): void;
}

/** An entry in memory, with the compressed forms of its body made when first wanted. */
export class L1Entry implements CacheEntry {
  readonly stamp: string;
  readonly body: Buffer;
  readonly empty: boolean;
  readonly tag: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly headers: Readonly<Record<string, string>>;
  #key = '';
  #keeper: Keeper | undefined;
  #br: Promise<Buffer | undefined> | undefined;
  #gzip: Promise<Buffer | undefined> | undefined;
  #bytes: number;

  constructor(entry: CacheEntry) {
    this.stamp = entry.stamp;
    this.body = ownBytes(entry.body);
    this.empty = entry.empty;
    this.tag = entry.tag;
    this.createdAtMs = entry.createdAtMs;
    this.expiresAtMs = entry.expiresAtMs;
    this.headers = entry.headers;
    let texts = this.stamp.length + this.tag.length;
    for (const [name, value] of Object.entries(this.headers)) texts += name.length + value.length;
    this.#bytes = OVERHEAD_BYTES + this.body.length + texts;
  }

  /** Memory the entry takes, its variants included. */
  get bytes(): number {
    return this.#bytes;
  }

  keptBy(keeper: Keeper, key: string): void {
    this.#keeper = keeper;
    this.#key = key;
  }

  /**
   * The body compressed, or `undefined` where that would not make it shorter. Made once, in the
   * thread pool, however many ask. Rejects where compressing fails.
   */
  variant(encoding: VariantEncoding): Promise<Buffer | undefined> {
    return encoding === 'br'
      ? (this.#br ??= this.#compress('br').catch((error: unknown) => {
          this.#br = undefined;
          throw error;
        }))
      : (this.#gzip ??= this.#compress('gzip').catch((error: unknown) => {
          this.#gzip = undefined;
          throw error;
        }));
  }

  async #compress(encoding: VariantEncoding): Promise<Buffer | undefined> {
    if (this.body.length < SMALLEST_COMPRESSED_BYTES) return undefined;
    const compressed =
      encoding === 'gzip'
        ? await gzipAsync(this.body)
        : await brotliAsync(this.body, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: this.body.length,
            },
          });
    if (compressed.length >= this.body.length) return undefined;
    const variant = ownBytes(compressed);
    this.#bytes += variant.length;
    this.#keeper?.grown(this.#key, this);
    return variant;
  }
}

/** A buffer that is a small part of a larger block would keep all of it in memory. */
function ownBytes(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength === buffer.length) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}
