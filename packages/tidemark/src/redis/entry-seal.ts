/**
 * Seals on the entries in Redis: a client of Redis without the secret cannot plant an entry. A sealed entry is `tm2`,
 * an HMAC-SHA-256 (32 bytes) and the bytes of the entry. The HMAC also covers the name of the key, so an entry that was
 * copied to another key is refused.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

const MAGIC = Buffer.from('tm2');
const MAC_BYTES = 32;

/** Bytes that a seal adds to an entry. */
export const SEAL_BYTES = MAGIC.length + MAC_BYTES;

/** `form`: not an entry of this service. `seal`: no known secret has sealed it under this key. */
export type EntryRefusal = 'form' | 'seal';

export class EntrySeal {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];

  /** The first secret seals; entries sealed with any of them are accepted. */
  constructor([first, ...others]: readonly [string | Buffer, ...(string | Buffer)[]]) {
    this.#keys = [keyOf(first), ...others.map(keyOf)];
  }

  seal(name: string, bytes: Buffer): Buffer {
    return Buffer.concat([MAGIC, macOf(this.#keys[0], name, bytes), bytes]);
  }

  /** The bytes of the entry sealed for the key `name`, or why it is refused. */
  open(name: string, sealed: Buffer): Buffer | EntryRefusal {
    const isOfForm = sealed.length > SEAL_BYTES && sealed.subarray(0, MAGIC.length).equals(MAGIC);
    if (!isOfForm) return 'form';
    const mac = sealed.subarray(MAGIC.length, SEAL_BYTES);
    const bytes = sealed.subarray(SEAL_BYTES);
    const isGenuine = this.#keys.some((key) => timingSafeEqual(macOf(key, name, bytes), mac));
    return isGenuine ? bytes : 'seal';
  }
}

function keyOf(secret: string | Buffer): KeyObject {
  return createSecretKey(Buffer.from(secret as string));
}

function macOf(key: KeyObject, name: string, bytes: Buffer): Buffer {
  // No key name contains the NUL character.
  return createHmac('sha256', key).update(`${name}\0`).update(bytes).digest();
}
