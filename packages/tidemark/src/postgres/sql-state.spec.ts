import { expect, it } from 'vitest';
import { sqlStateOf } from './sql-state.js';

it('returns the SQLSTATE of server errors only', () => {
  const reported = { code: '23505', severity: 'ERROR' };
  expect(sqlStateOf(Object.assign(new Error('x'), reported))).toBe('23505');
  expect(sqlStateOf(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBeUndefined();
  expect(sqlStateOf(Object.assign(new Error('x'), { code: 'EPIPE' }))).toBeUndefined();
  expect(sqlStateOf(undefined)).toBeUndefined();
});
