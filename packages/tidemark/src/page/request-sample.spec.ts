import { expect, it } from 'vitest';
import type { LiveRequest } from '../observe/report.js';
import { RequestSample } from './request-sample.js';

const request = (atMs: number): LiveRequest => ({
  atMs,
  query: 'users',
  outcome: 'hit',
  level: 'L1',
  reason: undefined,
  durationMs: 1,
  bytes: 1,
});

const sampleOf = (count: number, random: () => number) => {
  const sample = new RequestSample(random);
  for (let atMs = 1; atMs <= count; atMs += 1) sample.add(request(atMs));
  return sample;
};

it('no request: nothing to send', () => {
  expect(sampleOf(0, () => 0).take()).toBeUndefined();
});

it('50 requests: all of them, and nothing the next time', () => {
  const sample = sampleOf(50, () => 0);
  const taken = sample.take();
  expect(taken?.leftOut).toBe(0);
  expect(taken?.requests.map(({ atMs }) => atMs)).toEqual(
    Array.from({ length: 50 }, (_, at) => at + 1),
  );
  expect(sample.take()).toBeUndefined();
});

it('more requests: a late one takes the place of an early one, in the order of time', () => {
  const places = [0, 51 / 52];
  const taken = sampleOf(52, () => places.shift() ?? 0).take();
  expect(taken?.leftOut).toBe(2);
  const times = taken?.requests.map(({ atMs }) => atMs);
  expect(times).toEqual([...Array.from({ length: 49 }, (_, at) => at + 2), 51]);
});
