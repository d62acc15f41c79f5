/**
 * The cookie of a session: its end and an HMAC under the token, so that every instance with the token accepts it and
 * another token ends all sessions.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/ports/clock.js';

export const SESSION_MS = 12 * 60 * 60 * 1_000;

const NAME = 'tidemark-page';
/**
 * Without `Path`, a browser sends the cookie to the folder of the URL that has set it, which is the API: it knows that
 * URL also behind a proxy that removes a prefix.
 */
const ATTRIBUTES = 'HttpOnly; SameSite=Strict';

export class SessionCookie {
  readonly #key: Buffer;

  /** @param clock milliseconds since the Unix epoch. */
  constructor(
    token: string,
    private readonly clock: Clock,
  ) {
    this.#key = Buffer.from(hkdfSync('sha256', token, '', 'tidemark page session', 32));
  }

  /** The value of `Set-Cookie` that begins a session. */
  begin(isSecure: boolean): string {
    const end = (this.clock.nowMs() + SESSION_MS).toString(36);
    const value = `${end}.${this.#sign(end).toString('base64url')}`;
    return setCookie(value, SESSION_MS / 1_000, isSecure);
  }

  /** When the session of the request ends, in milliseconds since the Unix epoch; `undefined`: it has none. */
  endOf(header: string | undefined): number | undefined {
    for (const cookie of (header ?? '').split(';')) {
      const [, end = '', signature = ''] =
        /^\s*tidemark-page=([0-9a-z]{1,16})\.([\w-]{43})\s*$/.exec(cookie) ?? [];
      const endMs = parseInt(end, 36);
      if (!(endMs > this.clock.nowMs())) continue;
      if (timingSafeEqual(this.#sign(end), Buffer.from(signature, 'base64url'))) return endMs;
    }
    return undefined;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

/** The value of `Set-Cookie` that ends a session in the browser. */
export function endSession(isSecure: boolean): string {
  return setCookie('', 0, isSecure);
}

function setCookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${NAME}=${value}; Max-Age=${maxAgeSeconds}; ${ATTRIBUTES}${secure}`;
}
