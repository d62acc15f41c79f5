import { expect, it } from '@jest/globals';
import { DataLosses } from './data-losses.js';

it('shows a loss for a while after the last one, and logs losses that follow one another once', () => {
  const clock = { time: 0, nowMs: () => clock.time };
  const lines: string[] = [];
  const log = { log: () => undefined, warn: (line: string) => void lines.push(line) };
  const losses = new DataLosses('redis:6379', log, clock);
  expect(losses.isRecent).toBe(false);
  losses.noticed();
  clock.time = 10_000;
  losses.noticed();
  clock.time = 24_999;
  expect(losses.isRecent).toBe(true);
  clock.time = 25_000;
  expect(losses.isRecent).toBe(false);
  losses.noticed();
  const line = /^Redis at redis:6379 has lost data of the cache.*delete its keys.*maxmemory-policy/;
  expect(lines).toEqual([expect.stringMatching(line), expect.stringMatching(line)]);
});
