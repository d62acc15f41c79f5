/**
 * The response headers that a stored answer may have. All others (cookies, content type and encoding, caching, CORS, a
 * redirect inside a proxy) belong to one request or to the server, not to the rows of a query.
 */

const ALLOWED = new Set([
  'accept-ranges',
  'content-disposition',
  'content-language',
  'content-location',
  'content-range',
  'last-modified',
  'link',
]);
/** Names that an application may choose, without those that browsers or proxies act on. */
const OWN_NAME = /^x-[a-z0-9_-]{1,100}$/;
const NOT_OWN_NAME =
  /^x-(?:accel-|content-type-options$|dns-prefetch-control$|download-options$|forwarded|frame-options$|http-method|lighttpd-|original-(?:host|method|ur[il])$|permitted-cross-domain-policies$|powered-by$|real-ip$|reproxy-|rewrite-url$|sendfile|ua-compatible$|xss-protection$)/;
const NOT_ALLOWED = [
  'which a stored answer cannot have',
  `set it in an interceptor, or use one of ${[...ALLOWED].join(', ')}, or an own name that begins with x-`,
] as const;
const NO_TEXT = [
  'whose value is not a text of visible ASCII',
  'make it one, for example with encodeURIComponent',
] as const;
/** Visible ASCII, spaces and tabs. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** A query set a response header that a stored answer cannot have. */
export class ResponseHeaderError extends Error {
  constructor(query: string, header: string, problem: string, remedy: string) {
    super(`The query ${query} gives the response header ${header}, ${problem}: ${remedy}.`);
    this.name = 'ResponseHeaderError';
  }
}

export function isStorableHeader(name: string, value: unknown): value is string {
  return isAllowed(name) && typeof value === 'string' && VALUE.test(value);
}

/**
 * The headers as texts, without the undefined ones.
 *
 * @throws ResponseHeaderError
 */
export function storableHeaders(
  query: string,
  headers: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, given] of Object.entries(headers)) {
    if (given === undefined) continue;
    const value: unknown = typeof given === 'number' ? String(given) : given;
    if (!isStorableHeader(name, value)) {
      const [problem, remedy] = isAllowed(name) ? NO_TEXT : NOT_ALLOWED;
      throw new ResponseHeaderError(query, JSON.stringify(name), problem, remedy);
    }
    texts[name] = value;
  }
  return texts;
}

function isAllowed(name: string): boolean {
  const lower = name.toLowerCase();
  return ALLOWED.has(lower) || (OWN_NAME.test(lower) && !NOT_OWN_NAME.test(lower));
}
