import { expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemTimers } from './clock.js';
import { WaitingGroups } from './waiting-groups.js';

/** In which turn of the event loop each of so many goes on, counted from the first of them. */
async function turnsOf(count: number): Promise<number[]> {
  let turn = 0;
  let resolve!: (value: string) => void;
  const groups = new WaitingGroups(new Promise<string>((done) => (resolve = done)), systemTimers);
  const turns = Array.from({ length: count }, async () => {
    expect(await groups.join()).toBe('answer');
    return turn;
  });
  resolve('answer');
  while (turn < 10) {
    await nextTurn();
    turn += 1;
  }
  return Promise.all(turns);
}

it('lets a few go on at once', async () => {
  expect(new Set(await turnsOf(32))).toEqual(new Set([0]));
});

it('lets many go on in their order, a turn apart', async () => {
  const turns = await turnsOf(100);
  expect(turns).toEqual(turns.toSorted((a, b) => a - b));
  const sizes = [...new Set(turns)].map((turn) => turns.filter((one) => one === turn).length);
  expect(sizes).toEqual([32, 32, 32, 4]);
});

it('tells all of a failure', async () => {
  const groups = new WaitingGroups(Promise.reject(new Error('away')), systemTimers);
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => groups.join()));
  expect(all.every(({ status }) => status === 'rejected')).toBe(true);
});
