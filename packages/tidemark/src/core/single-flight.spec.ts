import { describe, expect, it } from 'vitest';
import { systemTimers } from './ports/clock.js';
import { SingleFlight } from './single-flight.js';

const generous = { maxWaiters: 100, maxWaitMs: 60_000 };

function gate<T>(): { promise: Promise<T>; open: (value: T) => void; fail: (e: Error) => void } {
  let open: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

describe('SingleFlight', () => {
  it('runs once for concurrent callers of one key and shares the outcome', async () => {
    const flights = new SingleFlight<string>(systemTimers, generous);
    const { promise, open } = gate<string>();
    let runs = 0;
    const work = (): Promise<string> => {
      runs += 1;
      return promise;
    };
    const outcomes = [flights.run('k', work), flights.run('k', work), flights.run('other', work)];
    open('rows');
    expect(await Promise.all(outcomes)).toEqual([
      { role: 'leader', value: 'rows' },
      { role: 'waiter', value: 'rows' },
      { role: 'leader', value: 'rows' },
    ]);
    expect(runs).toBe(2);
  });

  it('shares a failure with waiting callers, and runs again for a later caller', async () => {
    const flights = new SingleFlight<string>(systemTimers, generous);
    const first = gate<string>();
    const leader = flights.run('k', () => first.promise);
    const waiter = flights.run('k', () => Promise.resolve('never run'));
    first.fail(new Error('connection lost'));
    await expect(leader).rejects.toThrow('connection lost');
    await expect(waiter).rejects.toThrow('connection lost');
    expect(await flights.run('k', () => Promise.resolve('rows'))).toEqual({
      role: 'leader',
      value: 'rows',
    });
  });

  it('turns a caller away at the maximum number of waiters', async () => {
    const flights = new SingleFlight<string>(systemTimers, { maxWaiters: 1, maxWaitMs: 60_000 });
    const { promise, open } = gate<string>();
    const leader = flights.run('k', () => promise);
    const waiter = flights.run('k', () => promise);
    expect(await flights.run('k', () => promise)).toEqual({ role: 'turned-away' });
    open('rows');
    expect(await leader).toEqual({ role: 'leader', value: 'rows' });
    expect(await waiter).toEqual({ role: 'waiter', value: 'rows' });
  });

  it('turns a caller away after the maximum wait, and frees its place', async () => {
    const flights = new SingleFlight<string>(systemTimers, { maxWaiters: 1, maxWaitMs: 1 });
    const { promise, open } = gate<string>();
    const leader = flights.run('k', () => promise);
    expect(await flights.run('k', () => promise)).toEqual({ role: 'turned-away' });
    expect(await flights.run('k', () => promise)).toEqual({ role: 'turned-away' });
    open('rows');
    await leader;
  });
});
