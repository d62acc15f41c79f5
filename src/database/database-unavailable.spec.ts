import { describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from './database-unavailable.js';

function coded(code: string, message = 'something'): Error {
  return Object.assign(new Error(message), { code });
}

describe('isDatabaseUnavailable', () => {
  it.each([
    ['a refused connection', coded('ECONNREFUSED')],
    ['an unknown host', coded('ENOTFOUND')],
    ['a starting server', coded('57P03')],
    ['a stopping server', new QueryFailedError('SELECT 1', [], coded('57P01'))],
    ['a lost connection', coded('08006')],
    ['too many connections', coded('53300')],
    ['a cancelled statement', new QueryFailedError('SELECT 1', [], coded('57014'))],
    ['a session ended by the idle limit', coded('57P05')],
    ['a write to a standby', new QueryFailedError('UPDATE', [], coded('25006'))],
    ['a connection that ended', new Error('Connection terminated unexpectedly')],
    ['an exhausted pool', new Error('timeout exceeded when trying to connect')],
  ])('is true for %s', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each([
    ['a taken key', new QueryFailedError('INSERT', [], coded('23505'))],
    ['a wrong password', coded('28P01')],
    ['a syntax error', coded('42601')],
    ['a code that is only the prefix of one', coded('08')],
    ['any other error', new Error('Connection is nice')],
    ['an object that is not an Error', { code: 'ECONNREFUSED' }],
    ['undefined', undefined],
  ])('is false for %s', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});
