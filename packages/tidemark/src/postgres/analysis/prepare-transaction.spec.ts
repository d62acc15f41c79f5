import { describe, expect, it } from 'vitest';
import { mayPrepareTransaction } from './prepare-transaction.js';

/** So many comments that a pattern which tries each way to divide them would not end. */
const MANY = 100_000;

describe('texts that may prepare a transaction', () => {
  it.each([
    "PREPARE TRANSACTION 'a'",
    "prepare\n\ttransaction 'a'",
    "BEGIN; SELECT 1; PREPARE TRANSACTION 'a'",
    "PREPARE/**/TRANSACTION 'a'",
    "PREPARE /* a */ /* b */ TRANSACTION 'a'",
    "PREPARE /* a /* nested */ */ TRANSACTION 'a'",
    "PREPARE -- a\nTRANSACTION 'a'",
    "PREPARE -- a\rTRANSACTION 'a'",
    "PREPARE -- a\u2028b\nTRANSACTION 'a'",
    "SELECT 'PREPARE /*'; PREPARE TRANSACTION 'a' -- */",
  ])('%j', (sql) => {
    expect(mayPrepareTransaction(sql)).toBe(true);
  });

  it('has any number of comments between the words', () => {
    expect(mayPrepareTransaction(`PREPARE ${'/**/'.repeat(MANY)} TRANSACTION 'a'`)).toBe(true);
  });
});

describe('texts that prepare no transaction', () => {
  it.each([
    'PREPARE p AS SELECT 1',
    'PREPARE transactions AS SELECT 1',
    'CALL prepare_transaction()',
    'COMMIT; START TRANSACTION',
    'PREPARE /* a TRANSACTION */ p AS SELECT 1',
    'PREPARE -- TRANSACTION',
    'PREPARE /* not closed TRANSACTION',
    "COMMIT PREPARED 'a'",
  ])('%j', (sql) => {
    expect(mayPrepareTransaction(sql)).toBe(false);
  });

  it.each(['/**/', '--\n', '/*/**/*/', ' '])('has any number of %j behind PREPARE', (gap) => {
    expect(mayPrepareTransaction(`PREPARE ${gap.repeat(MANY)} p AS SELECT 1`)).toBe(false);
  });
});
