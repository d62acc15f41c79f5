/**
 * Entries as text that is safe in any JSON: `tm1:<form>:<base64>`, form `r` raw or `z` deflated.
 *
 * The bytes are the length of a header (32 bits, big-endian), the header (JSON) and the body.
 * cache-manager-ioredis-yet puts values through telejson, which revives strings that look like
 * its own notation (dates, functions, aliases); this text looks like none of them, and base64 has
 * nothing to escape.
 */
import { promisify } from 'node:util';
import { constants, deflate, deflateSync, inflate } from 'node:zlib';
import type { CacheEntry } from '../core/entry-store.js';

interface Header extends Omit<CacheEntry, 'body'> {
  readonly bodyBytes: number;
}

const PREFIX = 'tm1';
const LENGTH_BYTES = 4;
/** Below, deflating costs more than it saves. */
const SMALLEST_DEFLATED_BYTES = 4_096;
/**
 * Up to here in the same thread: 32 KB of ordinary rows take 0.2 ms, a stream through the thread pool 0.1 ms of this
 * thread and twice as much of the processor in all.
 */
const LONGEST_DEFLATED_HERE_BYTES = 40_960;
/** Above, a text is taken for damaged rather than inflated. */
const LARGEST_INFLATED_BYTES = 256 * 1_024 * 1_024;

const FASTEST = { level: constants.Z_BEST_SPEED };

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** Deflates what is long in the thread pool. */
export async function encodeEntry(entry: CacheEntry): Promise<string> {
  const { body, stamp, empty, tag, createdAtMs, expiresAtMs, headers } = entry;
  const fields = { stamp, empty, tag, createdAtMs, expiresAtMs, headers };
  const header = Buffer.from(
    JSON.stringify({ ...fields, bodyBytes: body.length } satisfies Header),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(header.length);
  const raw = Buffer.concat([length, header, body]);
  if (raw.length < SMALLEST_DEFLATED_BYTES) return text('r', raw);
  const isShort = raw.length <= LONGEST_DEFLATED_HERE_BYTES;
  const deflated = isShort ? deflateSync(raw, FASTEST) : await deflateAsync(raw, FASTEST);
  return deflated.length < raw.length ? text('z', deflated) : text('r', raw);
}

/** The entry, or `undefined` for anything that {@link encodeEntry} did not make. Never rejects. */
export async function decodeEntry(stored: unknown): Promise<CacheEntry | undefined> {
  if (typeof stored !== 'string') return undefined;
  const isDeflated = stored.startsWith(`${PREFIX}:z:`);
  if (!isDeflated && !stored.startsWith(`${PREFIX}:r:`)) return undefined;
  const base64 = stored.slice(PREFIX.length + 3);
  const bytes = Buffer.from(base64, 'base64');
  // Decoding skips what is not base64 and stops where the text does.
  if (base64.length % 4 !== 0 || bytes.length !== Buffer.byteLength(base64, 'base64')) {
    return undefined;
  }
  try {
    return entryOf(isDeflated ? await inflated(bytes) : bytes);
  } catch {
    return undefined;
  }
}

function text(form: 'r' | 'z', bytes: Buffer): string {
  return `${PREFIX}:${form}:${bytes.toString('base64')}`;
}

function inflated(bytes: Buffer): Promise<Buffer> {
  return inflateAsync(bytes, { maxOutputLength: LARGEST_INFLATED_BYTES });
}

/** Throws or answers `undefined` where the bytes are not an entry. */
function entryOf(bytes: Buffer): CacheEntry | undefined {
  const bodyStart = LENGTH_BYTES + bytes.readUInt32BE(0);
  if (bodyStart > bytes.length) return undefined;
  const header: unknown = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, bodyStart));
  const body = bytes.subarray(bodyStart);
  if (!isHeader(header) || header.bodyBytes !== body.length) return undefined;
  const { stamp, empty, tag, createdAtMs, expiresAtMs, headers } = header;
  return { stamp, body, empty, tag, createdAtMs, expiresAtMs, headers };
}

function isHeader(value: unknown): value is Header {
  if (!isRecord(value)) return false;
  const { headers } = value;
  return (
    typeof value['stamp'] === 'string' &&
    typeof value['tag'] === 'string' &&
    typeof value['empty'] === 'boolean' &&
    typeof value['createdAtMs'] === 'number' &&
    typeof value['expiresAtMs'] === 'number' &&
    typeof value['bodyBytes'] === 'number' &&
    isRecord(headers) &&
    Object.values(headers).every((header) => typeof header === 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
