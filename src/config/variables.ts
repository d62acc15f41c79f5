/** Parses the text of each environment variable; .env.example describes them. */
import { z } from 'zod';
import { redisTlsVariables } from './redis-tls.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const WRITE_POLICIES = ['commit', 'refuse'] as const;
const CACHE_MODES = ['serve', 'shadow', 'off'] as const;

const MAX_SEED_USERS = 2_147_483_647;

/** A number in plain decimal digits, within bounds. The messages of this file have the form `problem: remedy`. */
function number(least: number, most: number, { whole }: { whole: boolean }) {
  const shape = whole ? /^\d{1,16}$/ : /^\d{1,16}(\.\d{1,16})?$/;
  const words = `is not ${whole ? 'a whole' : 'a'} number from ${least} to ${most}: write it in digits`;
  return z
    .string()
    .regex(shape, { error: words, abort: true })
    .transform(Number)
    .pipe(z.number().min(least, words).max(most, words));
}

/** A URL with one of the protocols. The message never contains the value: URLs may have passwords. */
function url(protocols: readonly string[], example: string) {
  const spelled = protocols.map((protocol) => `${protocol}//`).join(' or ');
  return z.string().refine((text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    return parsed !== undefined && parsed.hostname !== '' && protocols.includes(parsed.protocol);
  }, `is not a URL that begins with ${spelled}: write it like ${example}`);
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
};

/** A number of bytes, such as `67108864`, `64MB` or `64 MiB`; 1 KB is 1024 bytes. */
const bytes = z.string().transform((text, context) => {
  const [, digits = '', unit = ''] = /^(\d{1,15}) ?((?:[KMG]i?)?B|)$/i.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit.toUpperCase().replace('I', '')] ?? 0);
  if (value >= 1024 * 1024 && Number.isSafeInteger(value)) return value;
  context.addIssue('is not a size of at least 1MB: write bytes, or a size such as 64MB');
  return z.NEVER;
});

const DEFAULT_SENTINEL_PORT = 26_379;

const DEFAULT_NODE_PORT = 6379;

/** Addresses as `host:port` or `[IPv6]:port`, separated by commas. */
const addresses = (defaultPort: number) =>
  z.string().transform((text, context) => {
    const found = text.split(',').map((address) => {
      const [, v6, name, digits] =
        /^\s*(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?\s*$/.exec(address) ?? [];
      return { host: v6 ?? name ?? '', port: Number(digits ?? defaultPort) };
    });
    if (found.every(({ host, port }) => host !== '' && port >= 1 && port <= 65_535)) return found;
    context.addIssue('is not a list of addresses: write host:port,host:port with IPv6 in brackets');
    return z.NEVER;
  });

/** The schemas of all environment variables of the service, in the order of .env.example. */
export const variables = {
  PORT: number(0, 65_535, { whole: true }).default(3000),
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_%-]+$/, 'is not an address or a host name: write one such as 127.0.0.1')
    // For this name Fastify creates a second server on ::1, whose requests a stop would cut off.
    .transform((host) => (host === 'localhost' ? '127.0.0.1' : host))
    .default('0.0.0.0'),
  SHUTDOWN_DRAIN_MS: number(0, 20_000, { whole: true }).default(5000),
  DATABASE_URL: url(
    ['postgres:', 'postgresql:'],
    'postgres://user:password@host:5432/database',
  ).optional(),
  DATABASE_POOL: number(1, 1000, { whole: true }).default(10),
  DATABASE_TIMEOUT_MS: number(0, 3_600_000, { whole: true }).default(10_000),
  DATABASE_QUEUE: number(1, 100_000, { whole: true }).default(100),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://:password@host:6379/0').optional(),
  REDIS_SENTINELS: addresses(DEFAULT_SENTINEL_PORT).optional(),
  REDIS_SENTINEL_NAME: z.string().optional(),
  REDIS_SENTINEL_USERNAME: z.string().optional(),
  REDIS_SENTINEL_PASSWORD: z.string().optional(),
  REDIS_USERNAME: z.string().optional(),
  REDIS_PASSWORD: z.string().optional(),
  REDIS_DATABASE: number(0, 65_535, { whole: true }).optional(),
  ...redisTlsVariables,
  REDIS_CLUSTER: addresses(DEFAULT_NODE_PORT).optional(),
  REDIS_TIMEOUT_MS: number(10, 60_000, { whole: true }).default(500),
  CACHE_MODE: z
    .enum(CACHE_MODES, `is not one of ${CACHE_MODES.join(', ')}: choose one of them`)
    .default('serve'),
  CACHE_TTL: number(1, 2_592_000, { whole: true }).default(300),
  CACHE_TTL_JITTER: number(0, 0.5, { whole: false }).default(0.1),
  CACHE_MAX_STALENESS_MS: number(0, 86_400_000, { whole: true }).default(0),
  CACHE_L1_BYTES: bytes.default(64 * 1024 * 1024),
  CACHE_VERIFY_PLANS: number(0, 1, { whole: false }).default(0.01),
  CACHE_AUDIT: number(0, 1, { whole: false }).default(0.0001),
  CACHE_WRITE_POLICY: z
    .enum(WRITE_POLICIES, `is not one of ${WRITE_POLICIES.join(', ')}: choose one of them`)
    .default('commit'),
  CACHE_NAMESPACE: z
    .string()
    .regex(
      /^[a-z0-9_-]{1,64}$/,
      'has other characters than a-z 0-9 _ - or more than 64: choose a short plain name',
    )
    .default('tidemark'),
  CACHE_RELEASE: z
    .string()
    .regex(
      /^[\w.+:@/-]{1,128}$/,
      'has other characters than letters, digits and . _ + - : @ / or more than 128: give a version or a commit',
    )
    .optional(),
  CACHE_ENTRY_SECRET: z
    .string()
    .transform((text) => text.split(',').map((secret) => secret.trim()))
    .refine(
      (secrets) => secrets.every((secret) => secret.length >= 16),
      'has a secret of less than 16 characters: make one with `openssl rand -hex 32`, and write several with commas between',
    )
    .optional(),
  CACHE_ADMIN_TOKEN: z
    .string()
    .min(16, 'has less than 16 characters: make one with `openssl rand -hex 32`')
    .regex(
      /^[!-~]*$/,
      'has characters that a header cannot carry: use letters, digits and signs of ASCII',
    )
    .optional(),
  CACHE_ADMIN_ACTIONS: z
    .enum(['true', 'false'], 'is neither true nor false: choose one of them')
    .default('false'),
  SEED_USERS: number(0, MAX_SEED_USERS, { whole: true }).optional(),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, `is not one of ${LOG_LEVELS.join(', ')}: choose one of them`)
    .default('info'),
} as const;
