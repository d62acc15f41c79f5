import { expect, it } from 'vitest';
import { Trouble } from './trouble.js';

it('shows for a while after it was last noticed, and logs its start and its end once', () => {
  const clock = { time: 0, nowMs: () => clock.time };
  const lines: string[] = [];
  const log = { begin: () => void lines.push('begin'), end: () => void lines.push('end') };
  const trouble = new Trouble(15_000, log, clock);
  trouble.absent();
  expect(trouble.isOn).toBe(false);
  trouble.noticed();
  clock.time = 10_000;
  trouble.noticed();
  clock.time = 24_999;
  trouble.absent();
  expect(trouble.isOn).toBe(true);
  expect(lines).toEqual(['begin']);
  clock.time = 25_000;
  trouble.absent();
  trouble.absent();
  expect(trouble.isOn).toBe(false);
  trouble.noticed();
  expect(lines).toEqual(['begin', 'end', 'begin']);
});

it('is not logged if the log already has the reason', () => {
  const lines: string[] = [];
  const trouble = new Trouble(15_000, { begin: () => void lines.push('begin') });
  trouble.show();
  trouble.noticed();
  expect(trouble.isOn).toBe(true);
  expect(lines).toEqual([]);
});
