import { RedisUrlError } from './redis.errors.js';

const DEFAULT_PORT = '6379';

/** Parses the URL as the client does. Throws {@link RedisUrlError}, whose message never repeats the URL. */
export function parseRedisUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new RedisUrlError('is not a URL');
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new RedisUrlError('has another scheme than redis or rediss');
  }
  if (url.hostname === '') throw new RedisUrlError('names no host');
  if (!/^\/?\d{0,5}$/.test(url.pathname)) {
    throw new RedisUrlError('has a database that is not a number');
  }
  try {
    for (const part of [url.username, url.password]) decodeURIComponent(part);
  } catch {
    throw new RedisUrlError('has a user or password that is not percent-encoded properly');
  }
  // The client would read any of its options from the query string.
  url.search = '';
  return url;
}

/** The address without user and password, for logs and health. */
export function describeRedisAddress({ protocol, hostname, port, pathname }: URL): string {
  return `${protocol}//${hostname}:${port || DEFAULT_PORT}/${pathname.slice(1) || 0}`;
}
