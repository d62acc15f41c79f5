import { describe, expect, it } from 'vitest';
import { CacheEvents } from '../core/ports/cache-events.js';
import { outcomesOf } from './outcomes.js';

const answered = { key: 'k', durationMs: 1, bytes: 2, regions: [] };
const missed = { ...answered, cause: 'new', outdated: [] } as const;

function emit(events: CacheEvents): void {
  events.emit('miss', { ...missed, query: 'users', stored: true, refusal: undefined });
  events.emit('hit', { ...answered, query: 'users', level: 'L1' });
  const durationMs = 1;
  events.emit('bypass', { query: 'regions', reason: 'in-doubt', detail: undefined, durationMs });
}

describe('outcomesOf', () => {
  it('records hits, misses and bypasses by query, in order', () => {
    const events = new CacheEvents();
    const outcomes = outcomesOf({ events });
    emit(events);
    expect(outcomes.of('users')).toEqual(['miss', 'L1']);
    expect(outcomes.of('regions')).toEqual(['bypass: in-doubt']);
    expect(outcomes.of('posts')).toEqual([]);
  });

  it('names the reason of answers that are not stored', () => {
    const events = new CacheEvents();
    const outcomes = outcomesOf({ events });
    const bypass = { query: 'q', durationMs: 1 };
    events.emit('miss', { ...missed, query: 'q', stored: false, refusal: 'too-large' });
    events.emit('bypass', { ...bypass, reason: 'uncacheable', detail: 'volatile-function' });
    events.emit('bypass', { ...bypass, reason: 'transaction', detail: 'transaction' });
    expect(outcomes.of('q')).toEqual([
      'miss (too-large)',
      'bypass: uncacheable (volatile-function)',
      'bypass: transaction',
    ]);
    expect([...outcomes.all().keys()]).toEqual(['q']);
  });

  it('expect() accepts hit, miss and bypass for their kinds, and throws on other outcomes', () => {
    const events = new CacheEvents();
    const outcomes = outcomesOf({ events });
    outcomes.expect('users');
    emit(events);
    outcomes.expect('users', 'miss', 'hit');
    outcomes.expect('regions', 'bypass');
    expect(() => outcomes.expect('users', 'hit', 'hit')).toThrow(
      'Outcomes of users: expected hit, hit, got miss, L1.',
    );
    expect(() => outcomes.expect('users', 'miss')).toThrow('got miss, L1');
    expect(() => outcomes.expect('posts', 'hit')).toThrow('got none');
  });

  it('until() repeats the work until the outcome, and rejects at its time limit', async () => {
    const events = new CacheEvents();
    const outcomes = outcomesOf({ events });
    let runs = 0;
    const work = async (): Promise<number> => {
      runs += 1;
      if (runs === 3) emit(events);
      else {
        const bypass = { reason: 'in-doubt', detail: undefined, durationMs: 0 } as const;
        events.emit('bypass', { query: 'users', ...bypass });
      }
      return runs;
    };
    await expect(outcomes.until('users', 'hit', work)).resolves.toBe(3);
    await expect(outcomes.until('users', 'hit', work, 0)).rejects.toThrow(
      'Last outcomes of users: expected hit, got bypass: in-doubt.',
    );
  });

  it('clear() forgets the recorded outcomes, and stop() ends the recording', () => {
    const events = new CacheEvents();
    const outcomes = outcomesOf({ events });
    emit(events);
    outcomes.clear();
    expect(outcomes.of('users')).toEqual([]);
    outcomes.stop();
    emit(events);
    expect(outcomes.of('users')).toEqual([]);
    expect(events.listenerCount('hit')).toBe(0);
  });
});
