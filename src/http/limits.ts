/** Limits for clients. */

/** Longest body of a request: it fits a batch of 1,000 users with the longest fields, even escaped. */
export const BODY_LIMIT_BYTES = 2 * 1024 * 1024;

/** Longest target of a request, in characters. */
export const MAX_URL_LENGTH = 8_000;

/** How long a client may take to send a request. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** How long an idle connection is kept. */
export const KEEP_ALIVE_TIMEOUT_MS = 72_000;
