/**
 * Entries as bytes: the form (`r` raw or `z` deflated), then, raw or deflated, the length of a header (32 bits,
 * big-endian), the header (JSON) and the body.
 */
import { promisify } from 'node:util';
import { constants, deflate, deflateSync, inflate } from 'node:zlib';
import type { CacheEntry } from '../core/ports/entry-store.js';
import { isStorableHeader } from '../core/response-headers.js';

interface Header extends Omit<CacheEntry, 'body'> {
  readonly bodyBytes: number;
}

const RAW = Buffer.from('r');
const DEFLATED = Buffer.from('z');
const LENGTH_BYTES = 4;
/** Below this, deflating costs more than it saves. */
const MIN_DEFLATED_BYTES = 4_096;
/** Up to this size in the calling thread: the thread pool takes twice the CPU time, see docs/performance.md. */
const MAX_DEFLATED_HERE_BYTES = 40_960;

const FASTEST = { level: constants.Z_BEST_SPEED };

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/** @param maxBytes limit for the entry before it is deflated; `undefined` for a larger one. */
export async function encodeEntry(
  entry: CacheEntry,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const { body, stamp, empty, tag, createdAtMs, expiresAtMs, headers } = entry;
  const bodyBytes = body.length;
  const fields: Header = { stamp, empty, tag, createdAtMs, expiresAtMs, headers, bodyBytes };
  const header = Buffer.from(JSON.stringify(fields));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(header.length);
  const parts = [length, header, body];
  const rawBytes = LENGTH_BYTES + header.length + body.length;
  if (rawBytes > maxBytes) return undefined;
  if (rawBytes < MIN_DEFLATED_BYTES) return Buffer.concat([RAW, ...parts]);
  const raw = Buffer.concat(parts);
  const isShort = rawBytes <= MAX_DEFLATED_HERE_BYTES;
  const deflated = isShort ? deflateSync(raw, FASTEST) : await deflateAsync(raw, FASTEST);
  return deflated.length < rawBytes
    ? Buffer.concat([DEFLATED, deflated])
    : Buffer.concat([RAW, raw]);
}

/** `undefined` for bytes that {@link encodeEntry} did not produce; inflates to `maxBytes` at most. Never rejects. */
export async function decodeEntry(
  bytes: Buffer,
  maxBytes: number,
): Promise<CacheEntry | undefined> {
  const form = bytes.subarray(0, 1);
  const content = bytes.subarray(1);
  try {
    if (form.equals(RAW)) return entryOf(content);
    if (!form.equals(DEFLATED)) return undefined;
    return entryOf(await inflateAsync(content, { maxOutputLength: maxBytes }));
  } catch {
    return undefined;
  }
}

/** Throws or returns `undefined` if the bytes are not an entry. */
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
    Object.entries(headers).every(([name, header]) => isStorableHeader(name, header))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
