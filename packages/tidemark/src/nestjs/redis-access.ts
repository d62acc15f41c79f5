/** The parts of the option `redis` by which a server lets the cache in: TLS, and credentials from a function. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import type { CredentialsSource } from '../redis/connection/credentials.js';
import { refuseOption } from './refused-option.js';

export interface RedisAccess {
  /**
   * Settings of Node for TLS: `ca`, `cert`, `key` and others. A server name is sent by default where the host is a
   * name.
   */
  readonly tls?: boolean | ConnectionOptions | undefined;
  /**
   * Asked for user and password before each connect, for tokens that change. An error of the function counts as an
   * outage. The log has its name and code, not its message.
   */
  readonly credentials?: CredentialsSource | undefined;
}

/**
 * @param hasLogin whether a user or a password is given beside.
 * @throws Error that names the option and the remedy, and repeats no secret.
 */
export function checkAccess({ tls, credentials }: RedisAccess, hasLogin: boolean): void {
  if (typeof tls === 'object') checkTls(tls);
  if (credentials === undefined) return;
  if (typeof credentials !== 'function') {
    refuseOption(
      'redis.credentials',
      'is no function',
      'give one that returns { username, password }, or a promise of them',
    );
  }
  if (hasLogin) {
    refuseOption(
      'redis.credentials',
      'is set beside a user or a password',
      'remove these, since the function returns both',
    );
  }
}

function checkTls(tls: ConnectionOptions): void {
  // OpenSSL ignores an authority that is no certificate.
  for (const authority of [tls.ca ?? []].flat()) {
    if (isCertificate(authority)) continue;
    refuseOption('redis.tls.ca', 'is no certificate', 'give the text of a PEM file');
  }
  try {
    createSecureContext(tls);
  } catch (error) {
    const { message } = error as Error;
    const remedy = 'give the texts of PEM files, and the `key` that belongs to `cert`';
    refuseOption('redis.tls', `cannot be used (${message})`, remedy);
  }
}

function isCertificate(text: string | Buffer): boolean {
  try {
    return new X509Certificate(text).fingerprint256 !== '';
  } catch {
    return false;
  }
}
