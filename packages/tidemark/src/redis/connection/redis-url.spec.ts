import { describe, expect, it } from 'vitest';
import { createRedisClient } from './redis-client.factory.js';
import { RedisUrlError } from './redis.errors.js';
import { describeRedisAddress, parseRedisUrl } from './redis-url.js';

describe('the URL of Redis', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://10.0.0.1:7000/', { host: '10.0.0.1', port: 7000, db: 0 }],
    ['rediss://cache.example:6380/3', { port: 6380, db: 3, tls: { servername: 'cache.example' } }],
    ['redis://[::1]:6379', { host: '::1' }],
    ['redis://:p%40ss%2F@h', { password: 'p@ss/' }],
    ['redis://app:x@h', { username: 'app', password: 'x' }],
    ['redis://h?enableOfflineQueue=true', { enableOfflineQueue: false, lazyConnect: true }],
  ])('%s', (url, expected) => {
    expect(createRedisClient({ url, timeoutMs: 500 }).options).toMatchObject(expected);
  });

  it.each([
    'not a url secret',
    'http://u:secret@h',
    'redis://',
    'redis://u:secret@h/users',
    'redis://u:secret%zz@h',
    'redis://u:secret@h:99999',
  ])('is refused, and the error does not repeat it: %s', (url) => {
    let failure: unknown;
    try {
      parseRedisUrl(url);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(RedisUrlError);
    expect(String(failure)).not.toContain('secret');
  });

  it('is described without user and password', () => {
    const described = ['redis://u:secret@h', 'rediss://[::1]:1/2'].map((url) =>
      describeRedisAddress(parseRedisUrl(url)),
    );
    expect(described).toEqual(['redis://h:6379/0', 'rediss://[::1]:1/2']);
  });
});
