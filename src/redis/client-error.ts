import {
  PERMISSION_REMEDY,
  RedisCommandError,
  RedisTimeoutError,
  RedisUnavailableError,
  type RedisError,
} from './redis.errors.js';

/** The message alone: the client's errors carry commands with their arguments, passwords too. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // In the client's words: about a setting of its own, not about what has happened.
  if (error.message.includes('enableOfflineQueue')) return 'there is no open connection';
  if (error.message.startsWith('NOPERM')) return `${error.message}; ${PERMISSION_REMEDY}`;
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** An error of the client as one of ours; `name` is the command's. */
export function redisErrorOf(name: string, error: unknown): RedisError {
  if (error instanceof RedisTimeoutError) return error;
  const text = textOf(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError')
    return new RedisUnavailableError(text);
  return new RedisCommandError(name, text.split(' ', 1)[0] ?? '', text);
}
