/** User and password from a function, which is asked before each connect: tokens that change (IAM). */
import type { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { RedisTimeoutError } from './redis.errors.js';

export interface RedisCredentials {
  /** Default: the default user. */
  readonly username?: string | undefined;
  readonly password: string;
}

export type CredentialsSource = () => RedisCredentials | Promise<RedisCredentials>;

/**
 * Gives new credentials to a client that has not connected yet.
 *
 * @throws Error without a secret, if the function fails or is late.
 */
export async function signInWith(
  source: CredentialsSource,
  client: Redis,
  timeoutMs: number,
): Promise<void> {
  const { username, password } = await ask(source, timeoutMs);
  // The client reads them when it connects.
  client.options.username = username ?? '';
  client.options.password = password;
}

async function ask(source: CredentialsSource, timeoutMs: number): Promise<RedisCredentials> {
  let given: Partial<RedisCredentials> | undefined;
  try {
    const asked = (async () => source())();
    given = await withDeadline(asked, timeoutMs, '`credentials`');
  } catch (error) {
    throw missing(
      error instanceof RedisTimeoutError
        ? `the function has not answered within ${timeoutMs} ms`
        : `the function has failed with ${kindOf(error)}, whose message may contain a secret and is not logged`,
    );
  }
  const { username, password } = given ?? {};
  if (typeof password === 'string' && password !== '') return { username, password };
  throw missing('the function has returned no password: return { username, password }');
}

function missing(why: string): Error {
  return new Error(`the credentials are missing: ${why}`);
}

/** Name and code of an error. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'a value that is no Error';
  return 'code' in error ? `${error.name} (${String(error.code)})` : error.name;
}
