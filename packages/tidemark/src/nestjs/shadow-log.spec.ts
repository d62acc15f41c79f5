import { expect, it } from 'vitest';
import { CacheEvents, type ShadowDifference } from '../core/ports/cache-events.js';
import { logShadow } from './shadow-log.js';

it('logs a query that differs at most once a minute, with the number of differences in between', () => {
  const events = new CacheEvents();
  const lines: string[] = [];
  const clock = { ms: 0, nowMs: () => clock.ms };
  logShadow(events, { error: (line: string) => lines.push(line) }, clock);
  const compare = (query: string, difference: ShadowDifference): unknown =>
    events.emit('shadowCompared', { query, difference, stamp: 'versions' });
  compare('users', 'none');
  expect(lines).toEqual([]);
  compare('users', 'content');
  compare('users', 'content');
  clock.ms = 59_999;
  compare('users', 'content');
  compare('regions', 'order');
  expect(lines).toEqual([
    expect.stringMatching(/the query users differs from the database in its content\./),
    expect.stringMatching(/the query regions .* in the order of its rows alone.*ORDER BY\./),
  ]);
  clock.ms = 60_000;
  compare('users', 'headers');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(/in its response headers \(and 2 more times/);
  expect(lines.join()).not.toContain('versions');
});
