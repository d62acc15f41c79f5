/**
 * Errors of Redis. None of them carries the command, its arguments or a client error as `cause`: those may contain a
 * password or a stored answer.
 */

import { describeTlsError } from './tls-errors.js';

export const PERMISSION_REMEDY = 'docs/operations.md has the ACL rules that its user needs';

/** Error replies that mean that the server cannot serve any command now. */
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

/** There is no usable connection: the command was not sent, or its connection broke. */
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
  /** `replyCode` is the first word of Redis's reply, such as `NOSCRIPT` or `OOM`. */
  constructor(
    command: string,
    readonly replyCode: string,
    reply: string,
  ) {
    super(`Redis refused ${command}: ${reply}`);
  }
}

/**
 * The keys lie elsewhere now, or partly elsewhere: their slot of a Redis Cluster has moved, is being moved, or has no
 * owner. A script may have run in part.
 */
export class RedisSlotError extends RedisError {
  constructor(command: string, reply: string) {
    super(`Redis Cluster could not run ${command}: ${reply}`);
  }
}

/** The server does not let this client run a command that it needs. */
export class RedisPermissionError extends RedisError {
  constructor(commands: readonly string[]) {
    super(`it refuses ${commands.join(', ')}; ${grantOf(commands)}`);
  }
}

/** The address of Redis cannot be parsed. The message does not repeat it. */
export class RedisUrlError extends RedisError {
  constructor(readonly problem: string) {
    super(
      `The Redis URL ${problem}; write redis://[user:password@]host[:port][/database], or rediss:// for TLS`,
    );
  }
}

/** Converts a client error to a `RedisError`; `name` is the command's. */
export function redisErrorOf(name: string, error: unknown): RedisError {
  if (error instanceof RedisTimeoutError) return error;
  const text = textOf(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError')
    return new RedisUnavailableError(text);
  return new RedisCommandError(name, text.split(' ', 1)[0] ?? '', text);
}

/** Only the message: the client's errors carry commands with their arguments, including passwords. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The client names its own setting, not the cause.
  if (error.message.includes('enableOfflineQueue')) return 'there is no open connection';
  if (error.message.startsWith('NOPERM')) return withoutPermission(error.message);
  const tls = describeTlsError(error);
  if (tls !== undefined) return tls;
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** Replaces the reply's words: some servers name the user in them. */
function withoutPermission(reply: string): string {
  const command = /'([^']+)' command/.exec(reply)?.[1];
  if (command !== undefined) return `NOPERM (it refuses ${command}); ${grantOf([command])}`;
  return `NOPERM (it refuses access to the keys of the cache); ${PERMISSION_REMEDY}`;
}

function grantOf(commands: readonly string[]): string {
  const rules = commands.map((command) => `+${command.toLowerCase()}`).join(' ');
  return `run ACL SETUSER <its user> ${rules}; ${PERMISSION_REMEDY}`;
}
