import { expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import type { InstanceBoard } from '../../src/core/ports/instance-board.js';

const LONG_MS = 600_000;

/** @param open makes an empty board, and a second one with the same data. */
export function instanceBoardContract(
  open: () => Promise<readonly [InstanceBoard, InstanceBoard]>,
): void {
  it('has the last report of each instance until it is removed', async () => {
    const [one, other] = await open();
    expect(await one.read()).toEqual([]);
    await one.publish('a', '{"n":1}', LONG_MS);
    await other.publish('b', '"ü\\u0000"', LONG_MS);
    await one.publish('a', '{"n":2}', LONG_MS);
    expect((await other.read()).toSorted()).toEqual(['"ü\\u0000"', '{"n":2}']);
    await one.remove('a');
    await one.remove('a');
    expect(await other.read()).toEqual(['"ü\\u0000"']);
  });

  it('lacks the report of an instance that publishes no more', async () => {
    const [one, other] = await open();
    await one.publish('killed', '1', 50);
    await one.publish('alive', '2', LONG_MS);
    await eventually(async () => expect(await other.read()).toEqual(['2']));
  });

  it('tells the shared mode to each instance that publishes', async () => {
    const [one, other] = await open();
    expect(await one.publish('a', '1', LONG_MS)).toBeUndefined();
    await other.setMode('shadow');
    expect(await one.publish('a', '1', LONG_MS)).toBe('shadow');
    expect(await one.publish('a', '1', LONG_MS, 'serve')).toBe('shadow');
    await one.setMode('serve');
    expect(await other.publish('b', '1', LONG_MS)).toBe('serve');
  });

  it('takes the mode that an instance knows if it has none', async () => {
    const [one, other] = await open();
    expect(await one.publish('a', '1', LONG_MS, 'shadow')).toBe('shadow');
    expect(await other.publish('b', '1', LONG_MS)).toBe('shadow');
  });
}
