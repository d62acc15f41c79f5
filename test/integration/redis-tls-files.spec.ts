/** The variables for TLS to Redis, with files that openssl has made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { parseConfig } from '../../src/config/config.js';
import { Certificates, hasOpenssl, type KeyPair } from '../support/certificates.js';

describe.skipIf(!hasOpenssl)('the configuration of TLS to Redis', () => {
  let certificates: Certificates;
  let ca: string;
  let pair: KeyPair;
  /** All files, by their variables. */
  let files: Readonly<Record<string, string>>;

  beforeAll(async () => {
    certificates = await Certificates.create();
    ca = await certificates.authority();
    pair = await certificates.pair();
    files = {
      REDIS_TLS_CA: certificates.path('ca.crt'),
      REDIS_TLS_CERT: certificates.path('client.crt'),
      REDIS_TLS_KEY: certificates.path('client.key'),
    };
  });

  afterAll(() => certificates.remove());

  it.each([
    ['a URL', { REDIS_URL: 'rediss://h' }],
    ['Sentinels', { REDIS_SENTINELS: 'h', REDIS_SENTINEL_NAME: 'one', REDIS_TLS: 'true' }],
  ])('reads the files beside %s', (_place, place) => {
    expect(parseConfig({ ...place, ...files }).redisTls).toEqual({ ca, ...pair });
    expect(parseConfig(place).redisTls).toEqual({});
  });

  it.each<[string, () => Record<string, string | undefined>, RegExp]>([
    [
      'files beside a URL without TLS',
      () => ({ ...files, REDIS_URL: 'redis://h' }),
      /^REDIS_TLS_CA is set without TLS: begin REDIS_URL with rediss:\/\//,
    ],
    [
      'REDIS_TLS beside a URL',
      () => ({ REDIS_TLS: 'true', REDIS_URL: 'rediss://h' }),
      /^REDIS_TLS is set beside REDIS_URL: remove it/,
    ],
    [
      'a certificate without its key',
      () => ({ ...files, REDIS_TLS_KEY: '', REDIS_URL: 'rediss://h' }),
      /^REDIS_TLS_KEY is absent beside REDIS_TLS_CERT: set the path of its private key/,
    ],
    [
      'a key without its certificate',
      () => ({ ...files, REDIS_TLS_CERT: '', REDIS_URL: 'rediss://h' }),
      /^REDIS_TLS_CERT is absent beside REDIS_TLS_KEY: set/,
    ],
    [
      'the key of another certificate',
      () => ({
        ...files,
        REDIS_TLS_KEY: certificates.path('server.key'),
        REDIS_URL: 'rediss://h',
      }),
      /^REDIS_TLS_KEY is not the key of REDIS_TLS_CERT: name the two files of one pair/,
    ],
    [
      'a certificate as a key',
      () => ({ REDIS_TLS_KEY: certificates.path('client.crt') }),
      /^REDIS_TLS_KEY names a file without a private key that needs no passphrase: give/,
    ],
    [
      'a key as a certificate',
      () => ({ REDIS_TLS_CERT: certificates.path('client.key') }),
      /^REDIS_TLS_CERT names a file without a certificate: give the path of a PEM file/,
    ],
    [
      'a file that does not exist',
      () => ({ REDIS_TLS_CA: certificates.path('none.crt') }),
      /^REDIS_TLS_CA names a file that cannot be read \(ENOENT\): give the path of a PEM file/,
    ],
  ])('refuses %s', (_what, env, message) => {
    expect(() => parseConfig(env())).toThrow(message);
    expect(() => parseConfig(env())).not.toThrow(/BEGIN/);
  });

  it('refuses a key with a passphrase', () => {
    const path = certificates.path('locked.key');
    const words = ['pkey', '-in', certificates.path('client.key'), '-out', path, '-aes256'];
    execFileSync('openssl', [...words, '-passout', 'pass:of-the-key']);
    expect(() => parseConfig({ REDIS_TLS_KEY: path })).toThrow('needs no passphrase');
  });
});
