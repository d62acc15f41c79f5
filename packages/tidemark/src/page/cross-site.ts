/** Keeps other sites from acting with the browser of a person who is signed in. */
import type { PageRequest } from './http-exchange.js';
import { PageProblem } from './page-problem.js';

/**
 * Call for methods that change something. Scripts outside of browsers send neither header.
 *
 * @throws PageProblem if the request comes from another site.
 */
export function requireSameOrigin({ headers }: PageRequest): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn =
    site === undefined
      ? origin === undefined || isSameHost(origin, host ?? String(headers[':authority']))
      : site === 'same-origin' || site === 'none';
  if (isOwn) return;
  throw new PageProblem(
    403,
    'cross-site',
    'The request comes from another site. Use the page itself, or a script outside of browsers; a proxy in front of ' +
      'the service has to pass the Host header on.',
  );
}

/** Whether a browser has sent the request over HTTPS: it knows, also where a proxy ends TLS. */
export function isSecure({ protocol, headers }: PageRequest): boolean {
  return protocol === 'https' || (headers.origin?.startsWith('https://') ?? false);
}

/** @throws PageProblem if the body is not announced as JSON, which no form can do. */
export function requireJson({ headers, body }: PageRequest): void {
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new PageProblem(415, 'not-json', 'Send the body with Content-Type: application/json.');
  }
  if (typeof body === 'object' && body !== null) return;
  throw new PageProblem(
    400,
    'invalid-request',
    body === undefined
      ? 'There is no parsed body: send a JSON object, and let the application parse JSON (option `bodyParser` of Nest).'
      : 'The body is not a JSON object: send one.',
  );
}

/** Ports that the scheme implies are left out. */
function isSameHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const own = new URL(origin);
  const url = `${own.protocol}//${host}`;
  return URL.canParse(url) && new URL(url).host === own.host;
}
