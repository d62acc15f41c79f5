/** Certificates for one test, made by openssl: of an authority, of a server on this machine, and of a client. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const openssl = (words: readonly string[]) => run('openssl', words);

/** `false`: tests of TLS are skipped. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const SERVER_NAMES = 'DNS:localhost,IP:127.0.0.1,IP:::1';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** The texts of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export class Certificates {
  private constructor(private readonly directory: string) {}

  static async create(): Promise<Certificates> {
    const certificates = new Certificates(await mkdtemp(join(tmpdir(), 'tidemark-tls-')));
    await certificates.#makeAuthority('ca');
    await certificates.#makeAuthority('other-ca');
    await certificates.#sign('server', `subjectAltName=${SERVER_NAMES}`);
    await certificates.#sign('stranger', 'subjectAltName=DNS:cache.example');
    await certificates.#sign('expired', `subjectAltName=${SERVER_NAMES}`, { days: -1 });
    await certificates.#sign('client', 'extendedKeyUsage=clientAuth');
    await certificates.#sign('foreigner', 'extendedKeyUsage=clientAuth', { authority: 'other-ca' });
    return certificates;
  }

  /** Of a file that this object has made. */
  path(file: `${string}.${'crt' | 'key'}`): string {
    return join(this.directory, file);
  }

  /** @param name `ca`, or `other-ca`, which has signed `foreigner` alone. */
  authority(name = 'ca'): Promise<string> {
    return readFile(this.path(`${name}.crt`), 'utf8');
  }

  /** @param name `client`, `foreigner`, `server`, `expired`, or `stranger`, a server at another name. */
  async pair(name = 'client'): Promise<KeyPair> {
    const [cert, key] = await Promise.all([
      readFile(this.path(`${name}.crt`), 'utf8'),
      readFile(this.path(`${name}.key`), 'utf8'),
    ]);
    return { cert, key };
  }

  /** Lines of redis.conf for a port of TLS that requires a certificate of each client. */
  redisConfig(tlsPort: number, name = 'server'): Record<string, string> {
    return {
      'tls-port': String(tlsPort),
      'tls-cert-file': this.path(`${name}.crt`),
      'tls-key-file': this.path(`${name}.key`),
      'tls-ca-cert-file': this.path('ca.crt'),
      'tls-auth-clients': 'yes',
    };
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true });
  }

  async #makeAuthority(name: string): Promise<void> {
    const files = ['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.crt`)];
    await openssl(['req', '-x509', ...NEW_KEY, ...files, '-subj', `/CN=${name}`, '-days', '2']);
  }

  async #sign(name: string, extension: string, { authority = 'ca', days = 2 } = {}): Promise<void> {
    const [request, extensions] = [join(this.directory, 'request'), join(this.directory, 'ext')];
    const key = ['-keyout', this.path(`${name}.key`)];
    await openssl(['req', ...NEW_KEY, ...key, '-out', request, '-subj', `/CN=${name}`]);
    await writeFile(extensions, extension);
    const issuer = ['-CA', this.path(`${authority}.crt`), '-CAkey', this.path(`${authority}.key`)];
    const files = ['-in', request, '-extfile', extensions, '-out', this.path(`${name}.crt`)];
    await openssl(['x509', '-req', ...issuer, '-CAcreateserial', ...files, '-days', `${days}`]);
  }
}
