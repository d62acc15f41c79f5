/** The variables for TLS to Redis. They name PEM files, which are read once at start. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The text of a PEM file. No message contains any of it. */
function pemFile(kind: string, isUsable: (text: string) => boolean) {
  return z.string().transform((path, context) => {
    try {
      const text = readFileSync(path, 'utf8');
      if (isUsable(text)) return text;
      context.addIssue(`names a file without ${kind}: give the path of a PEM file that has one`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      context.addIssue(
        `names a file that cannot be read (${code}): give the path of a PEM file that this process may read`,
      );
    }
    return z.NEVER;
  });
}

const certificateFile = pemFile('a certificate', (text) => {
  try {
    return new X509Certificate(text).fingerprint256 !== '';
  } catch {
    return false;
  }
});

const keyFile = pemFile('a private key that needs no passphrase', (text) => {
  try {
    return createPrivateKey(text).type === 'private';
  } catch {
    return false;
  }
});

export const redisTlsVariables = {
  REDIS_TLS: z
    .enum(['true', 'false'], 'is not one of true, false: choose one of them')
    .transform((text) => text === 'true')
    .default(false),
  REDIS_TLS_CA: certificateFile.optional(),
  REDIS_TLS_CERT: certificateFile.optional(),
  REDIS_TLS_KEY: keyFile.optional(),
};

export type RedisTlsValues = z.infer<z.ZodObject<typeof redisTlsVariables>> & {
  readonly REDIS_URL?: string | undefined;
};

const FILES = ['REDIS_TLS_CA', 'REDIS_TLS_CERT', 'REDIS_TLS_KEY'] as const;

/** Calls `refuse` for each variable that contradicts another one. */
export function refuseTls(
  value: RedisTlsValues,
  refuse: (name: keyof typeof redisTlsVariables, message: string) => void,
): void {
  const { REDIS_URL: url, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = value;
  if (value.REDIS_TLS && url !== undefined) {
    refuse('REDIS_TLS', 'is set beside REDIS_URL: remove it, and begin REDIS_URL with rediss://');
  }
  const first = FILES.find((name) => value[name] !== undefined);
  if (first !== undefined && !usesTls(value)) {
    refuse(
      first,
      'is set without TLS: begin REDIS_URL with rediss://, or set REDIS_TLS=true beside REDIS_SENTINELS or REDIS_CLUSTER',
    );
  }
  if (cert !== undefined && key === undefined) {
    refuse('REDIS_TLS_KEY', 'is absent beside REDIS_TLS_CERT: set the path of its private key');
  }
  if (cert === undefined && key !== undefined) {
    refuse('REDIS_TLS_CERT', 'is absent beside REDIS_TLS_KEY: set the path of its certificate');
  }
  if (cert !== undefined && key !== undefined) {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
    refuse('REDIS_TLS_KEY', 'is not the key of REDIS_TLS_CERT: name the two files of one pair');
  }
}

/** `undefined`: without TLS. */
export function tlsOf(value: RedisTlsValues) {
  if (!usesTls(value)) return undefined;
  return { ca: value.REDIS_TLS_CA, cert: value.REDIS_TLS_CERT, key: value.REDIS_TLS_KEY };
}

function usesTls({ REDIS_TLS: isOn, REDIS_URL: url }: RedisTlsValues): boolean {
  return isOn || (url !== undefined && new URL(url).protocol === 'rediss:');
}
