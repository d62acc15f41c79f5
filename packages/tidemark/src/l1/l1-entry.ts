import { isAscii } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { CacheEntry } from '../core/ports/entry-store.js';

export type VariantEncoding = 'br' | 'gzip';

/** A body compressed, or `undefined` where that would not make it shorter. */
export type Variant = Promise<Buffer | undefined>;

/** A shorter body is sent as it is: the saving would be lost in the packet. */
const MIN_COMPRESSED_BYTES = 1_024;
/** A body up to this length is kept as a text where it is plain ASCII. */
const MAX_TEXT_BYTES = 4_096;
const BROTLI_QUALITY = 5;
/** The object, the key, strings' headers and the places in maps: as measured, rounded up. */
const OVERHEAD_BYTES = 320;
/** What a Buffer takes besides what it holds, as measured. */
const BUFFER_BYTES = 190;
/** Times are kept from here on: a number that is small enough takes no memory of its own. */
const STARTED_AT_MS = Date.now();

const NO_HEADERS: CacheEntry['headers'] = Object.freeze({});

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** An entry in memory, with the compressed forms of its body made when first wanted. */
export class L1Entry implements CacheEntry {
  readonly stamp: string;
  readonly empty: boolean;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it is sent. A short one is a text, which takes less memory besides its bytes. */
  readonly content: Buffer | string;
  /** Called when the entry has come to take more memory. */
  onGrown: (() => void) | undefined;
  readonly #createdAfterMs: number;
  readonly #ttlMs: number;
  #variants: Map<VariantEncoding, Variant> | undefined;
  #variantBytes = 0;

  constructor(entry: CacheEntry) {
    this.stamp = entry.stamp;
    this.empty = entry.empty;
    this.tag = entry.tag;
    this.headers = compactOf(entry.headers);
    this.content = contentOf(entry.body);
    this.#createdAfterMs = entry.createdAtMs - STARTED_AT_MS;
    this.#ttlMs = entry.expiresAtMs - entry.createdAtMs;
  }

  get body(): Buffer {
    const { content } = this;
    return typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  }

  get createdAtMs(): number {
    return STARTED_AT_MS + this.#createdAfterMs;
  }

  get expiresAtMs(): number {
    return this.createdAtMs + this.#ttlMs;
  }

  /** Whether the body is long enough to be compressed. */
  get isCompressible(): boolean {
    return this.content.length >= MIN_COMPRESSED_BYTES;
  }

  /** Memory the entry takes, its variants included. */
  get bytes(): number {
    let texts = this.stamp.length + this.tag.length;
    for (const [name, value] of Object.entries(this.headers)) texts += name.length + value.length;
    const ofBuffer = typeof this.content === 'string' ? 0 : BUFFER_BYTES;
    return OVERHEAD_BYTES + this.content.length + ofBuffer + texts + this.#variantBytes;
  }

  /**
   * Made once, in the thread pool, however many ask. Rejects where compressing fails; who asks next tries again.
   */
  variant(encoding: VariantEncoding): Variant {
    if (!this.isCompressible) return Promise.resolve(undefined);
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
    const compressed = await (encoding === 'gzip' ? gzipAsync(body) : brotli(body));
    if (compressed.length >= body.length) return undefined;
    this.#variantBytes += compressed.length;
    this.onGrown?.();
    return ownBytes(compressed);
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

function contentOf(body: Buffer): Buffer | string {
  const isText = body.length <= MAX_TEXT_BYTES && isAscii(body);
  return isText ? body.toString('latin1') : ownBytes(body);
}

/** The same bytes alone: a buffer that is a small part of a larger block keeps all of it in memory. */
function ownBytes(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength === buffer.length) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}

/** The same headers; a text that was put together from others would keep all of these in memory. */
function compactOf(headers: CacheEntry['headers']): CacheEntry['headers'] {
  const texts = Object.entries(headers);
  if (texts.length === 0) return NO_HEADERS;
  return Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text).toString()]));
}
