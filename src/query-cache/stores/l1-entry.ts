import { isAscii } from 'node:buffer';
import type { CacheEntry } from '../core/entry-store.js';
import {
  CompressedForms,
  ownBytes,
  type Keeper,
  type Variant,
  type VariantEncoding,
} from './compressed-forms.js';

/** A shorter body is sent as it is: the saving would be lost in the packet. */
const SMALLEST_COMPRESSED_BYTES = 1_024;
/** A body up to this length is kept as a text where it is plain ASCII. */
const LONGEST_TEXT_BYTES = 4_096;
/** The object, the key, strings' headers and the places in maps: as measured, rounded up. */
const OVERHEAD_BYTES = 320;
/** What a Buffer takes besides what it holds, as measured. */
const BUFFER_BYTES = 190;
/** Times are kept from here on: a number that is small enough takes no memory of its own. */
const STARTED_AT_MS = Date.now();

const NO_VARIANT: Variant = Promise.resolve(undefined);
const NO_HEADERS: CacheEntry['headers'] = Object.freeze({});

/** An entry in memory, with the compressed forms of its body made when first wanted. */
export class L1Entry implements CacheEntry {
  readonly stamp: string;
  readonly empty: boolean;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it is sent. A short one is a text, which takes less memory besides its bytes. */
  readonly content: Buffer | string;
  readonly #createdAfterMs: number;
  readonly #ttlMs: number;
  readonly #forms: CompressedForms<L1Entry> | undefined;

  constructor(entry: CacheEntry) {
    this.stamp = entry.stamp;
    this.empty = entry.empty;
    this.tag = entry.tag;
    this.headers = compactOf(entry.headers);
    this.content = contentOf(entry.body);
    this.#createdAfterMs = entry.createdAtMs - STARTED_AT_MS;
    this.#ttlMs = entry.expiresAtMs - entry.createdAtMs;
    const isShort = this.content.length < SMALLEST_COMPRESSED_BYTES;
    this.#forms = isShort ? undefined : new CompressedForms();
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

  /** Memory the entry takes, its variants included. */
  get bytes(): number {
    let texts = this.stamp.length + this.tag.length;
    for (const [name, value] of Object.entries(this.headers)) texts += name.length + value.length;
    const ofBuffer = typeof this.content === 'string' ? 0 : BUFFER_BYTES;
    const ofForms = this.#forms?.bytes ?? 0;
    return OVERHEAD_BYTES + this.content.length + ofBuffer + texts + ofForms;
  }

  keptBy(keeper: Keeper<L1Entry>, key: string): void {
    this.#forms?.keptBy(keeper, key);
  }

  /**
   * The body compressed, or `undefined` where that would not make it shorter. Made once, in the
   * thread pool, however many ask. Rejects where compressing fails.
   */
  variant(encoding: VariantEncoding): Variant {
    return this.#forms?.of(this, encoding) ?? NO_VARIANT;
  }
}

function contentOf(body: Buffer): Buffer | string {
  const isText = body.length <= LONGEST_TEXT_BYTES && isAscii(body);
  return isText ? body.toString('latin1') : ownBytes(body);
}

/** The same headers; a text that was put together from others would keep all of these in memory. */
function compactOf(headers: CacheEntry['headers']): CacheEntry['headers'] {
  const names = Object.keys(headers);
  if (names.length === 0) return NO_HEADERS;
  const compact: Record<string, string> = { ...headers };
  for (const name of names) compact[name] = Buffer.from(headers[name] ?? '').toString();
  return compact;
}
