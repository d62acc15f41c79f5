import { describe, expect, it } from 'vitest';
import { outcomeOfAnswer, outcomeOfFailure } from './write-protocol.js';

describe('the outcome of COMMIT', () => {
  it('maps the command tag of the answer to the outcome', () => {
    expect(outcomeOfAnswer('COMMIT')).toBe('committed');
    expect(outcomeOfAnswer('ROLLBACK')).toBe('rolled-back');
    expect(outcomeOfAnswer(undefined)).toBe('unknown');
  });

  it.each<[string | undefined, string, string]>([
    ['23503', 'rolled-back', 'a deferred foreign key'],
    ['40001', 'rolled-back', 'a serialization failure'],
    ['40003', 'unknown', 'statement completion unknown'],
    ['57P01', 'unknown', 'the server was shut down'],
    ['57014', 'unknown', 'cancelled while waiting for a standby'],
    ['08006', 'unknown', 'connection failure'],
    [undefined, 'unknown', 'a socket error'],
  ])('%s: %s (%s)', (sqlState, outcome) => {
    expect(outcomeOfFailure(sqlState)).toBe(outcome);
  });
});
