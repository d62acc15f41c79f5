import { RedisUrlError } from './redis.errors.js';

/** Where Redis is and how to sign in. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const DEFAULT_PORT = 6379;

/** Throws {@link RedisUrlError}, whose message never repeats the URL. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new RedisUrlError('is not a URL');
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new RedisUrlError('has another scheme than redis or rediss');
  }
  if (url.hostname === '') throw new RedisUrlError('names no host');
  const database = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(database)) throw new RedisUrlError('has a database that is not a number');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    database: Number(database),
    tls: url.protocol === 'rediss:',
    username: url.username === '' ? undefined : decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
  };
}

/** The address without user and password, for logs and health. */
export function describeRedisAddress(address: RedisAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.tls ? 'rediss' : 'redis'}://${host}:${address.port}/${address.database}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RedisUrlError('has a user or password that is not percent-encoded properly');
  }
}
