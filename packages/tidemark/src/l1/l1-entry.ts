import { isAscii } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { CacheEntry } from '../core/ports/entry-store.js';
import type { TableVersionNames } from '../core/ports/version-store.js';

export type VariantEncoding = 'br' | 'gzip';

/** A compressed body; `undefined` if compression would not shorten it. */
export type Variant = Promise<Buffer | undefined>;

/** A shorter body is sent uncompressed: it fits in one packet either way. */
const MIN_COMPRESSED_BYTES = 1_024;
/** A plain ASCII body up to this length is kept as a string. */
const MAX_TEXT_BYTES = 4_096;
const BROTLI_QUALITY = 5;
/** The object, the key, the strings' headers and the slots in maps: measured, rounded up. */
const OVERHEAD_BYTES = 320;
/** Overhead of a Buffer, without its bytes: measured. */
const BUFFER_BYTES = 190;
/** Times are kept relative to this: a small enough number needs no memory beside its field. */
const STARTED_AT_MS = Date.now();

/** A version name's share of the index by region (entries-by-region.ts): measured, rounded up. */
const NAME_BYTES = 80;

const NO_HEADERS: CacheEntry['headers'] = Object.freeze({});

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** An entry in memory. The compressed forms of its body are created on first use. */
export class L1Entry implements CacheEntry {
  readonly stamp: string;
  readonly empty: boolean;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it is sent. A short one is a string, which has less overhead. */
  readonly content: Buffer | string;
  /** The versions that the answer depends on. */
  readonly tables: readonly TableVersionNames[];
  /** Called when the entry takes more memory than before. */
  onGrown: (() => void) | undefined;
  readonly #createdAfterMs: number;
  readonly #ttlMs: number;
  #variants: Map<VariantEncoding, Variant> | undefined;
  #variantBytes = 0;

  constructor(entry: CacheEntry, tables: readonly TableVersionNames[] = []) {
    this.tables = tables;
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

  /** Length of the body, in bytes. */
  get bodyBytes(): number {
    return this.content.length;
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

  /** Memory of the entry in bytes, including its variants. */
  get bytes(): number {
    let texts = this.stamp.length + this.tag.length;
    for (const [name, value] of Object.entries(this.headers)) texts += name.length + value.length;
    const ofBuffer = typeof this.content === 'string' ? 0 : BUFFER_BYTES;
    const ofNames = this.tables.reduce((sum, { names }) => sum + names.length * NAME_BYTES, 0);
    return OVERHEAD_BYTES + this.content.length + ofBuffer + texts + ofNames + this.#variantBytes;
  }

  /**
   * Created once, in the thread pool, for all concurrent callers. Rejects if compression fails; the next caller tries
   * again.
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

/** A copy of the bytes: a buffer that is a slice of a larger block keeps the whole block in memory. */
function ownBytes(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength === buffer.length) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}

/** The same headers; a string concatenated from others would keep all of those in memory. */
function compactOf(headers: CacheEntry['headers']): CacheEntry['headers'] {
  const texts = Object.entries(headers);
  if (texts.length === 0) return NO_HEADERS;
  return Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text).toString()]));
}
