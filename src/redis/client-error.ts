import {
  PERMISSION_REMEDY,
  RedisCommandError,
  RedisTimeoutError,
  RedisUnavailableError,
  type RedisError,
} from './redis.errors.js';

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

/** The message alone: the client's errors carry commands with their arguments, passwords too. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // In the client's words: about a setting of its own, not about what has happened.
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

/** An error of the client as one of ours; `name` is the command's. */
export function redisErrorOf(name: string, error: unknown): RedisError {
  if (error instanceof RedisTimeoutError) return error;
  const text = textOf(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError')
    return new RedisUnavailableError(text);
  return new RedisCommandError(name, text.split(' ', 1)[0] ?? '', text);
}
