import { beforeEach, describe, expect, it } from 'vitest';
import { CacheEvents, type CacheEventMap, type Regions } from '../core/ports/cache-events.js';
import { CacheObserver } from './cache-observer.js';
import type { LiveRequest, RecentWrite } from './report.js';

type Event<K extends keyof CacheEventMap> = CacheEventMap[K][0];

const START_MS = 1_000_000 * 60_000;
const US: Regions = [{ table: 'public.users', names: ['region=US'] }];
const ID_7: Regions = [{ table: 'public.users', names: ['id=7'] }];
const UPDATE = { title: 'UPDATE public.users', fingerprint: '0123456789abcdef' };

let nowMs: number;
let events: CacheEvents;
let observer: CacheObserver;

beforeEach(() => {
  nowMs = START_MS;
  events = new CacheEvents();
  observer = new CacheObserver(events, { nowMs: () => nowMs });
  observer.start();
});

const hit = (query: string, event: Partial<Event<'hit'>> = {}) =>
  events.emit('hit', {
    ...{ query, key: 'k', level: 'L1', durationMs: 0.3, bytes: 10, regions: US },
    ...event,
  });

const miss = (query: string, event: Partial<Event<'miss'>> = {}) =>
  events.emit('miss', {
    ...{ query, key: 'k', stored: true, refusal: undefined, cause: 'new', outdated: [] },
    ...{ durationMs: 8, bytes: 20, regions: US },
    ...event,
  });

const write = (writeId: string, regions: Regions, event: Partial<Event<'invalidated'>> = {}) =>
  events.emit('invalidated', {
    ...{ writeId, source: 'service', origin: 'PATCH /users/:id', statements: [UPDATE] },
    ...{ regions, localEntries: 2 },
    ...event,
  });

const counts = () => observer.report().counts;
const missesOf = () => counts().misses.map(({ endedBy }) => endedBy?.writeId);

describe('CacheObserver', () => {
  it('counts each request once, by the event that says how it was answered', () => {
    hit('users');
    hit('users', { level: 'L2' });
    miss('users');
    miss('users', { stored: false, refusal: 'too-large' });
    events.emit('bypass', { query: 'users', reason: 'in-doubt', detail: undefined, durationMs: 1 });
    events.emit('joined', { query: 'users', scope: 'process' });
    // Its `hit` is the second one.
    events.emit('joined', { query: 'users', scope: 'instances' });
    events.emit('fillFailed', { query: 'users' });
    const { queries, outcomes, minutes } = counts();
    const expected = {
      ...{ l1: 1, l2: 1, stored: 1, notStored: 1, joined: 1, bypassed: 1, failed: 1 },
    };
    expect([queries.length, queries[0]?.outcomes, outcomes]).toEqual([1, expected, expected]);
    expect(queries[0]?.reasons).toEqual({ 'too-large': 1, 'in-doubt': 1 });
    expect(minutes.at(-1)).toEqual({ requests: 7, hits: 2, savedMs: 16 });
  });

  it('counts the database time that hits save as hits times the mean fill', () => {
    miss('users', { durationMs: 10 });
    miss('users', { durationMs: 30 });
    hit('users');
    hit('users');
    hit('users');
    hit('regions');
    const { savedMs, queries } = counts();
    expect(savedMs).toBe(60);
    expect(queries.map(({ query, savedMs: saved }) => [query, saved])).toEqual([
      ['users', 60],
      ['regions', 0],
    ]);
    expect(queries[0]).toMatchObject({ lastBytes: 10, servedBytes: 30 });
  });

  it('files durations under their buckets', () => {
    for (const durationMs of [0, 0.1, 0.11, 3, 20_000]) hit('users', { durationMs });
    const [query] = counts().queries;
    expect(query?.hitMs.flatMap((count, bucket) => (count > 0 ? [[bucket, count]] : []))).toEqual([
      [0, 2],
      [1, 1],
      [5, 1],
      [16, 1],
    ]);
  });

  it('keeps the last 60 minutes', () => {
    hit('users');
    nowMs += 59 * 60_000;
    hit('users');
    hit('users');
    expect(counts().minutes.map(({ hits }) => hits)).toEqual([1, ...Array<number>(58).fill(0), 2]);
    nowMs += 60_000;
    expect(counts().minutes.map(({ hits }) => hits)).toEqual([...Array<number>(58).fill(0), 2, 0]);
    nowMs += 24 * 60 * 60_000;
    expect(counts().minutes.every(({ requests }) => requests === 0)).toBe(true);
    expect(counts().outcomes.l1).toBe(3);
  });

  it('reports the 200 busiest of any number of queries, and loses no request', () => {
    for (let turn = 0; turn < 5; turn += 1) hit('busy');
    for (let name = 0; name < 2_000; name += 1) hit(`inline-${name}`);
    hit('busy');
    const { queries, outcomes } = counts();
    expect(queries).toHaveLength(201);
    expect([queries[0]?.query, queries[0]?.outcomes.l1]).toEqual(['busy', 6]);
    expect([queries.at(-1)?.query, outcomes.l1]).toEqual(['other', 2_006]);
    expect(counts().minutes.at(-1)?.hits).toBe(2_006);
  });

  it('names the last write to an outdated region before the miss', () => {
    write('w1', US);
    write('w2', ID_7);
    nowMs += 3_000;
    miss('users', { cause: 'outdated', outdated: US });
    nowMs += 3_000;
    write('w3', US);
    const [first] = counts().misses;
    expect(first).toMatchObject({ atMs: START_MS + 3_000, query: 'users', cause: 'outdated' });
    expect(first?.endedBy).toMatchObject({
      ...{ atMs: START_MS, writeId: 'w1', origin: 'PATCH /users/:id', statements: [UPDATE] },
    });
  });

  it('names a write of unknown regions, and one to all tables, for the regions that they do not name', () => {
    write('w1', [{ table: 'public.users', names: ['*'] }]);
    nowMs += 8;
    miss('users', { cause: 'outdated', outdated: US });
    write('w2', [{ table: '*', names: ['*'] }]);
    nowMs += 5_000;
    miss('orders', { cause: 'outdated', outdated: [{ table: 'public.orders', names: ['id=1'] }] });
    miss('orders');
    expect(missesOf()).toEqual([undefined, 'w2', 'w1']);
  });

  it('names the write before a miss, also if others came during its fill', () => {
    write('w1', US);
    nowMs += 7_000;
    write('w2', US);
    nowMs += 500;
    miss('users', { cause: 'outdated', outdated: US, durationMs: 1_000 });
    expect(missesOf()).toEqual(['w1']);
  });

  it('names no write for answers that ended with an epoch', () => {
    write('w1', US);
    events.emit('epochReplaced', { table: 'public.users', cause: 'lost' });
    miss('users', { cause: 'outdated', outdated: [{ table: 'public.users', names: ['*'] }] });
    expect(missesOf()).toEqual([undefined]);
  });

  it('names a write of another instance as soon as it is known', () => {
    miss('users', { cause: 'outdated', outdated: US });
    expect(missesOf()).toEqual([undefined]);
    const theirs: RecentWrite = {
      ...{ atMs: nowMs - 20, writeId: 'w9', source: 'service', origin: undefined },
      ...{ statements: [UPDATE], regions: US },
    };
    observer.learn([theirs]);
    expect(missesOf()).toEqual(['w9']);
  });

  it('names a later write of another instance instead of an own earlier one, and none after the miss', () => {
    write('w1', US);
    nowMs += 3_000;
    miss('users', { cause: 'outdated', outdated: US });
    const theirs: Omit<RecentWrite, 'atMs' | 'writeId'> = {
      ...{ source: 'service', origin: undefined, statements: [UPDATE], regions: US },
    };
    observer.learn([
      { ...theirs, atMs: nowMs - 20, writeId: 'w2' },
      { ...theirs, atMs: nowMs + 20, writeId: 'w3' },
    ]);
    expect(missesOf()).toEqual(['w2']);
  });

  it('sums writes by origin and first statement, with the time to the end of the transaction', () => {
    write('w1', US);
    write('w2', [...US, ...ID_7]);
    write('w3', US, { source: 'outside', origin: undefined, statements: [] });
    events.emit('concluded', { writeId: 'w1', outcome: 'committed', durationMs: 4 });
    events.emit('concluded', { writeId: 'unknown', outcome: 'committed', durationMs: 4 });
    const [own, outside] = counts().writes;
    expect(own).toMatchObject({
      ...{ source: 'service', origin: 'PATCH /users/:id', statement: UPDATE },
      ...{ writes: 2, regions: 3, localEntries: 4, lastRegions: [...US, ...ID_7] },
    });
    expect(own?.publishedMs.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(outside).toMatchObject({ source: 'outside', statement: undefined, writes: 1 });
  });

  it('keeps at most 100 kinds of writes, and loses no write', () => {
    for (let route = 0; route < 1_000; route += 1)
      write(`w${route}`, US, { origin: `job ${route}` });
    const { writes } = counts();
    expect(writes).toHaveLength(100);
    expect(writes[0]?.origin).toBe('other');
  });

  it('counts reads against writes by region, at any rate of hits', () => {
    for (let turn = 0; turn < 50 + 16 * 100; turn += 1) hit('users');
    miss('users', { regions: [...US, ...ID_7] });
    write('w1', ID_7);
    expect(counts().regions).toEqual([
      { table: 'public.users', region: 'region=US', hits: 1_650, misses: 1, writes: 0 },
      { table: 'public.users', region: 'id=7', hits: 0, misses: 1, writes: 1 },
    ]);
  });

  it('keeps the busiest of any number of regions', () => {
    for (let turn = 0; turn < 10; turn += 1) hit('users', { regions: ID_7 });
    for (let id = 100; id < 10_000; id += 1) {
      miss('users', { regions: [{ table: 'public.users', names: [`id=${id}`] }] });
    }
    const { regions } = counts();
    expect(regions).toHaveLength(200);
    expect(regions[0]).toMatchObject({ region: 'id=7', hits: 10 });
  });

  it('reports the first regions of an answer with thousands', () => {
    const names = Array.from({ length: 5_000 }, (_, id) => `id=${id}`);
    const many = [{ table: 'public.users', names }];
    miss('users', { cause: 'outdated', outdated: many, regions: many });
    write('w1', many);
    expect(JSON.stringify(counts()).length).toBeLessThan(20_000);
  });

  it('reports epochs, relayed rows, and audits, whose differences in order alone do not count', () => {
    events.emit('epochReplaced', { table: 'public.users', cause: 'missing' });
    nowMs += 1;
    events.emit('epochReplaced', { table: 'public.orders', cause: 'outage' });
    events.emit('epochSettled', { table: 'public.users' });
    events.emit('audited', { query: 'users', key: 'k', difference: 'none', stamp: 's' });
    for (const difference of ['content', 'headers', 'order'] as const) {
      events.emit('audited', { query: 'users', key: 'k', difference, stamp: 's' });
    }
    events.emit('relayed', { rows: 3, lagMs: 12 });
    expect(observer.report()).toMatchObject({
      epochs: [
        { table: 'public.orders', cause: 'outage', atMs: START_MS + 1, isSettled: false },
        { table: 'public.users', cause: 'missing', atMs: START_MS, isSettled: true },
      ],
      audit: { compared: 4, different: 2 },
      relayedRows: 3,
      lastLagMs: 12,
    });
  });

  it('gives each request to the listeners until they end, whatever one of them throws', () => {
    const seen: LiveRequest[] = [];
    const ends = [
      observer.live.on(() => {
        throw new Error('a broken listener');
      }),
      observer.live.on((request) => seen.push(request)),
    ];
    hit('users');
    miss('users', { cause: 'expired' });
    events.emit('bypass', { query: 'users', reason: 'in-doubt', detail: undefined, durationMs: 1 });
    for (const end of ends) end();
    hit('users');
    expect(seen.map(({ outcome, level, reason }) => [outcome, level, reason])).toEqual([
      ['hit', 'L1', undefined],
      ['miss', undefined, 'expired'],
      ['bypass', undefined, 'in-doubt'],
    ]);
  });

  it('listens to nothing after it has stopped', () => {
    observer.stop();
    expect(events.eventNames().filter((name) => events.listenerCount(name) > 0)).toEqual([]);
  });
});
