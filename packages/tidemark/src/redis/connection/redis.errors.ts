/**
 * What can go wrong with Redis. None of these errors carries the command, its arguments or an
 * error of the client as `cause`: those may hold a password or a stored answer.
 */

export const PERMISSION_REMEDY = 'docs/operations.md has the ACL rules that its user needs';

/** Answers that say that the server cannot serve now, whatever the command. */
export const OUTAGE_REPLIES: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOAUTH',
  'NOPERM',
  'NOREPLICAS',
  'READONLY',
  'WRONGPASS',
]);

export abstract class RedisError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** There is no usable connection; the command was not sent, or its connection broke. */
export class RedisUnavailableError extends RedisError {
  constructor(reason: string) {
    super(`Redis is not available: ${reason}`);
  }
}

/** No answer came in time. Whether the command took effect is unknown. */
export class RedisTimeoutError extends RedisError {
  constructor(command: string, timeoutMs: number) {
    super(`Redis did not answer ${command} within ${timeoutMs} ms`);
  }
}

/** Redis answered with an error. */
export class RedisCommandError extends RedisError {
  /** `replyCode` is the first word of Redis's answer, such as `NOSCRIPT` or `OOM`. */
  constructor(
    command: string,
    readonly replyCode: string,
    reply: string,
  ) {
    super(`Redis refused ${command}: ${reply}`);
  }
}

/** The server does not let this client run what it needs. */
export class RedisPermissionError extends RedisError {
  constructor(commands: readonly string[]) {
    super(`it refuses ${commands.join(', ')}; ${PERMISSION_REMEDY}`);
  }
}

/** The address of Redis cannot be understood. The message does not repeat it. */
export class RedisUrlError extends RedisError {
  constructor(problem: string) {
    super(
      `The Redis URL ${problem}; write redis://[user:password@]host[:port][/database], or rediss:// for TLS`,
    );
  }
}

/** An error of the client as one of ours; `name` is the command's. */
export function redisErrorOf(name: string, error: unknown): RedisError {
  if (error instanceof RedisTimeoutError) return error;
  const text = textOf(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError')
    return new RedisUnavailableError(text);
  return new RedisCommandError(name, text.split(' ', 1)[0] ?? '', text);
}

/** The message alone: the client's errors carry commands with their arguments, passwords too. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The client names its own setting, not what has happened.
  if (error.message.includes('enableOfflineQueue')) return 'there is no open connection';
  if (error.message.startsWith('NOPERM')) return withoutPermission(error.message);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** In our own words: some servers name the user. */
function withoutPermission(reply: string): string {
  const command = /'([^']+)' command/.exec(reply)?.[1];
  return `NOPERM (it refuses ${command ?? 'access to the keys of the cache'}); ${PERMISSION_REMEDY}`;
}
