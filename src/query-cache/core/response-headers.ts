/**
 * The response headers that a stored answer may have. Anything else (cookies, the content's type and encoding,
 * caching, CORS, a redirect inside a proxy) belongs to one request or to the server, not to the rows of a query.
 */

const ALLOWED = new Set([
  'accept-ranges',
  'content-language',
  'content-location',
  'content-range',
  'last-modified',
  'link',
]);
/** Names that an application may choose: all of these but the ones that browsers or proxies act on. */
const OWN_NAME = /^x-[a-z0-9_-]{1,100}$/;
const NOT_OWN_NAME =
  /^x-(accel|content|dns|download|forwarded|frame|http|lighttpd|original|permitted|powered|real|rewrite|sendfile|ua|xss)\b/;
/** Visible ASCII, spaces and tabs. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** A query has given a response header that a stored answer cannot have. */
export class ResponseHeaderError extends Error {
  constructor(query: string, header: string, problem: string, remedy: string) {
    super(`The query ${query} gives the response header ${header}, ${problem}: ${remedy}.`);
    this.name = 'ResponseHeaderError';
  }
}

export function isStorableHeader(name: string, value: unknown): value is string {
  return isAllowed(name) && typeof value === 'string' && VALUE.test(value);
}

/** @throws ResponseHeaderError */
export function requireStorableHeaders<T extends Readonly<Record<string, string>>>(
  query: string,
  headers: T,
): T {
  for (const [name, value] of Object.entries(headers)) {
    if (!isAllowed(name)) {
      throw new ResponseHeaderError(
        query,
        JSON.stringify(name),
        'which a stored answer cannot have',
        `set it in an interceptor, or use one of ${[...ALLOWED].join(', ')}, or an own name that begins with x-`,
      );
    }
    if (!isStorableHeader(name, value)) {
      throw new ResponseHeaderError(
        query,
        JSON.stringify(name),
        'whose value is not a text of visible ASCII',
        'make it one, for example with encodeURIComponent',
      );
    }
  }
  return headers;
}

function isAllowed(name: string): boolean {
  const lower = name.toLowerCase();
  return ALLOWED.has(lower) || (OWN_NAME.test(lower) && !NOT_OWN_NAME.test(lower));
}
