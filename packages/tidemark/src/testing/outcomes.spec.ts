import { describe, expect, it } from '@jest/globals';
import { CacheEvents } from '../core/ports/cache-events.js';
import { outcomesOf } from './outcomes.js';

function emit(events: CacheEvents): void {
  events.emit('miss', { query: 'users', stored: true, refusal: undefined, durationMs: 1 });
  events.emit('hit', { query: 'users', level: 'L1' });
  events.emit('bypass', { query: 'regions', reason: 'in-doubt', detail: undefined });
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
