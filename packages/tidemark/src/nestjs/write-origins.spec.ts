import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WriteOrigins } from './write-origins.js';

describe('WriteOrigins', () => {
  it('has a name while the work runs, and none before and afterwards', async () => {
    const origins = new WriteOrigins();
    expect(origins.current).toBeUndefined();
    expect(origins.run('sync', () => origins.current)).toBe('sync');
    expect(origins.current).toBeUndefined();
    const late = origins.run('async', async () => {
      await nextTurn();
      return origins.current;
    });
    expect(origins.current).toBeUndefined();
    expect(await late).toBe('async');
    expect(origins.current).toBeUndefined();
  });

  it('has the name of the inner work in it, and that of the outer work again after it', async () => {
    const origins = new WriteOrigins();
    const seen = await origins.run('outer', async () => {
      const inner = await origins.run('inner', async () => {
        await nextTurn();
        return origins.current;
      });
      await nextTurn();
      return [inner, origins.current];
    });
    expect(seen).toEqual(['inner', 'outer']);
  });

  it('passes errors on, and then has no name', async () => {
    const origins = new WriteOrigins();
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() => origins.run('sync', fail)).toThrow('no');
    await expect(origins.run('async', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(origins.current).toBeUndefined();
  });

  it('gives no name to unnamed work that resumes while named work runs', async () => {
    const origins = new WriteOrigins();
    const emitter = new EventEmitter();
    const seen: (string | undefined)[] = [];
    const unnamed = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await once(emitter, 'go');
        seen.push(origins.current);
      }
    };
    const waiting = unnamed();
    for (let round = 0; round < 3; round += 1) {
      // The event is emitted in the context of the named work.
      await origins.run(`job ${round}`, async () => {
        emitter.emit('go');
        await nextTurn();
      });
      await nextTurn();
    }
    await waiting;
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('keeps the names of many works apart that run at the same time and end in any order', async () => {
    const origins = new WriteOrigins();
    const work = (index: number) => async () => {
      const seen = new Set<string | undefined>();
      for (let turn = 0; turn <= (index * 7) % 5; turn += 1) {
        await nextTurn();
        seen.add(origins.current);
      }
      return [...seen];
    };
    const indices = Array.from({ length: 200 }, (_, index) => index);
    const named = await Promise.all(
      indices.map((index) =>
        index % 3 === 0 ? work(index)() : origins.run(`job ${index}`, work(index)),
      ),
    );
    expect(named).toEqual(indices.map((index) => [index % 3 === 0 ? undefined : `job ${index}`]));
  });
});
