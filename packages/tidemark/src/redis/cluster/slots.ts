/**
 * The hash slots of Redis Cluster, and the buckets of the cache (core/ports/version-store.ts). All data of one bucket lie
 * in one slot, and the slots of the buckets are spread evenly over all slots.
 */
import { hash } from 'node:crypto';

export const SLOTS = 16_384;

/** Fixed: another number would spread the tables over other buckets. */
export const BUCKETS = 16;

const SLOTS_OF_BUCKET = SLOTS / BUCKETS;

/** The hash slot of a key: of its hash tag, if it has one. */
export function slotOf(key: string): number {
  return crc16(hashTagOf(key)) % SLOTS;
}

/** The bucket of a table, from 0. For a table of `inBucket` it is the bucket given there. */
export function bucketOf(table: string): number {
  if (table.startsWith('#') && !table.includes('.')) {
    return Number(/\/(\d+)$/.exec(table)?.[1] ?? 0);
  }
  // The checksum of the slots spreads names of equal endings badly.
  return Number.parseInt(hash('sha256', table).slice(0, 2), 16) % BUCKETS;
}

/** The hash tag of the bucket's keys: the smallest number with a slot in the bucket's share of the slots. */
export function tagOfBucket(bucket: number): string {
  return tagIn((slot) => Math.floor(slot / SLOTS_OF_BUCKET) === bucket);
}

/** The smallest number that, as a hash tag, lies in such a slot. */
export function tagIn(isFit: (slot: number) => boolean): string {
  for (let number = 0; ; number += 1) {
    const tag = String(number);
    if (isFit(crc16(tag) % SLOTS)) return tag;
  }
}

/** The words for one slot or for several, given as in `0-99, 150`. */
export function wordsForSlots(slots: string): { name: string; are: string; their: string } {
  return /^\d+$/.test(slots)
    ? { name: `slot ${slots}`, are: 'is', their: 'its' }
    : { name: `slots ${slots}`, are: 'are', their: 'their' };
}

/** The text between the first `{` and the next `}`, unless there is none or it is empty. */
function hashTagOf(key: string): string {
  const start = key.indexOf('{') + 1;
  const end = start === 0 ? -1 : key.indexOf('}', start);
  return end > start ? key.slice(start, end) : key;
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** CRC16-CCITT (XMODEM) of the text in UTF-8, as Redis Cluster defines it. */
function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc = ((crc << 8) ^ (CRC16[(crc >> 8) ^ byte] ?? 0)) & 0xffff;
  }
  return crc;
}
