/** The events of reads: each request counts once, and a miss says what has ended the entry. */
import { describe, expect, it } from 'vitest';
import type { CacheEventMap } from '../../src/core/ports/cache-events.js';
import { AbandonedFillError, type Answer } from '../../src/core/read-request.js';
import { valueVersion } from '../../src/core/versions.js';
import { settled } from './support/manual-time.js';
import { setUp, USERS } from './support/protocols.js';

const REQUESTS = ['hit', 'miss', 'joined', 'bypass', 'fillFailed'] as const;
const REGIONS = [{ table: USERS, names: ['region=US', 'region?'] }];

function recording(options?: Parameters<typeof setUp>[0]) {
  const protocols = setUp(options);
  const emitted: [name: string, event: Record<string, unknown>][] = [];
  for (const name of REQUESTS) {
    protocols.events.on(name, (event: CacheEventMap[typeof name][0]) =>
      emitted.push([name, { ...event }]),
    );
  }
  /** The events while the work ran. */
  const during = async (work: () => Promise<unknown>): Promise<typeof emitted> => {
    emitted.length = 0;
    await work();
    return [...emitted];
  };
  const names = async (work: () => Promise<unknown>): Promise<string[]> =>
    (await during(work)).map(([name]) => name).toSorted();
  return { ...protocols, during, names };
}

describe('a request emits one event', () => {
  it('hit or miss, with its key, duration, bytes and regions', async () => {
    const { during, read, clock, database } = recording();
    const request = { query: 'users.page', key: 'key', bytes: 6, regions: REGIONS };
    const run = async (): Promise<Answer> => {
      clock.ms += 30;
      return { body: Buffer.from('rows 0'), rowCount: 1, empty: false, headers: {} };
    };
    const miss = { ...request, stored: true, refusal: undefined, cause: 'new', outdated: [] };
    expect(await during(() => read({ run }))).toEqual([['miss', { ...miss, durationMs: 30 }]]);
    expect(await during(() => read())).toEqual([
      ['hit', { ...request, level: 'L1', durationMs: 0 }],
    ]);
    expect(database.selects).toBe(0);
  });

  it('hit, whose duration begins with the call', async () => {
    const { during, read, clock, store } = recording();
    await read();
    let release: () => void = () => undefined;
    store.hold = new Promise((resolve) => (release = resolve));
    const events = await during(async () => {
      const reading = read();
      clock.ms += 5;
      release();
      await reading;
    });
    expect(events).toEqual([['hit', expect.objectContaining({ durationMs: 5 })]]);
  });

  it('hit, for an entry of the shared store', async () => {
    const { during, read, entries, reads, request } = recording();
    const filled = await reads.read(request());
    if (filled.source !== 'miss') throw new Error(filled.source);
    entries.given = filled.entry;
    const events = await during(() => read({ key: 'other' }));
    const level = { level: 'L2', key: 'other', bytes: 6, regions: REGIONS };
    expect(events).toEqual([['hit', expect.objectContaining(level)]]);
  });

  it('joined by those that share a miss, hit by those that share a hit', async () => {
    const { names, read, entries, database, reads, request } = recording();
    const three = () => Promise.all([read(), read(), read()]);
    expect(await names(three)).toEqual(['joined', 'joined', 'miss']);
    expect(database.selects).toBe(1);
    const known = await reads.read(request());
    if (known.source !== 'hit') throw new Error(known.source);
    entries.given = known.entry;
    const others = () => Promise.all([1, 2, 3].map(() => read({ key: 'other' })));
    expect(await names(others)).toEqual(['hit', 'hit', 'hit']);
    expect(database.selects).toBe(1);
  });

  it('fillFailed, for the request that ran the query and for those that waited', async () => {
    const { names, read } = recording();
    const run = async (): Promise<Answer> => {
      await settled();
      throw new Error('no such column');
    };
    const three = () => Promise.allSettled([read({ run }), read({ run }), read({ run })]);
    expect(await names(three)).toEqual(['fillFailed', 'fillFailed', 'fillFailed']);
    const fresh = () => Promise.allSettled([read({ run, fresh: 'store' })]);
    expect(await names(fresh)).toEqual(['fillFailed']);
  });

  it('bypass, even if its query fails', async () => {
    const { names, read, store } = recording();
    store.away.add(0);
    const run = (): Promise<Answer> => Promise.reject(new Error('no such column'));
    expect(await names(() => read())).toEqual(['bypass']);
    expect(await names(() => Promise.allSettled([read({ run })]))).toEqual(['bypass']);
  });

  it('none for a fill that is given up, since its callers read again', async () => {
    const { names, read } = recording();
    const run = (): Promise<Answer> => Promise.reject(new AbandonedFillError());
    const both = () => Promise.allSettled([read({ run }), read({ run })]);
    expect(await names(both)).toEqual([]);
  });
});

describe('the cause of a miss', () => {
  const causeOf = (events: Awaited<ReturnType<ReturnType<typeof recording>['during']>>) =>
    events.map(([name, { cause, outdated }]) => ({ name, cause, outdated }));
  const outdatedBy = (...names: string[]) => [
    { name: 'miss', cause: 'outdated', outdated: [{ table: USERS, names }] },
  ];

  it('is fresh if the caller has asked for a new answer', async () => {
    const { during, read } = recording();
    await read();
    const events = await during(() => read({ fresh: 'store' }));
    expect(causeOf(events)).toEqual([{ name: 'miss', cause: 'fresh', outdated: [] }]);
  });

  it('is expired once the time to live of the entry is over', async () => {
    const { during, read, clock } = recording();
    await read();
    clock.ms += 60_001;
    const events = await during(() => read());
    expect(causeOf(events)).toEqual([{ name: 'miss', cause: 'expired', outdated: [] }]);
  });

  it('is outdated by the region that was written, also after the entry would have expired', async () => {
    const { during, read, begin, ended, clock } = recording();
    await read();
    await ended(await begin(['*', 'region=US', 'id=7']));
    expect(causeOf(await during(() => read()))).toEqual(outdatedBy('region=US'));
    await ended(await begin(['*', 'region?']));
    clock.ms += 60_001;
    expect(causeOf(await during(() => read()))).toEqual(outdatedBy('region?'));
  });

  it('is outdated by the region that was written, if the shared store alone has an entry', async () => {
    const { during, read, begin, ended, entries, reads, request } = recording();
    const filled = await reads.read(request());
    if (filled.source !== 'miss') throw new Error(filled.source);
    entries.given = filled.entry;
    await ended(await begin());
    // Such a fill waits for the lock.
    expect(causeOf(await during(() => read({ key: 'other' })))).toEqual(outdatedBy('region=US'));
  });

  it('is outdated by whole tables if their epochs were replaced', async () => {
    const { during, read, gate } = recording();
    await read();
    gate.distrust(0);
    const outdated = [USERS, '#schema'].map((table) => ({ table, names: ['*'] }));
    const events = await during(() => read());
    expect(causeOf(events)).toEqual([{ name: 'miss', cause: 'outdated', outdated }]);
  });
});

describe('without exposeValues no event has a value of a region', () => {
  it.each([
    'secret=1',
    'secret?',
    'x\nregion=secret:v',
    'secret:1@2',
    'sécrét 秘密 🔑 secret',
    'secret'.repeat(50),
    JSON.stringify(['secret', 'ä']),
  ])('%j', async (value) => {
    const { during, read, begin, ended } = recording({ exposeValues: false });
    const name = valueVersion('région,id', value);
    const names = [name, 'r%C3%A9gion%2Cid?'];
    const dependencies = { tables: [{ table: USERS, names }], completeRowCount: undefined };
    const events = await during(async () => {
      await Promise.all([read({ dependencies }), read({ dependencies })]);
      await read({ dependencies });
      await ended(await begin(['*', name]));
      await read({ dependencies });
    });
    expect(events.map(([event]) => event)).toEqual(['miss', 'joined', 'hit', 'miss']);
    const digest = expect.stringMatching(/^r%C3%A9gion%2Cid=[0-9a-f]{6}$/) as string;
    expect(events.at(-1)?.[1]).toMatchObject({
      cause: 'outdated',
      outdated: [{ table: USERS, names: [digest] }],
      regions: [{ table: USERS, names: [digest, 'r%C3%A9gion%2Cid?'] }],
    });
    expect(JSON.stringify(events)).not.toContain('secret');
    expect(JSON.stringify(events)).not.toContain(name.slice(name.indexOf('=') + 1));
  });
});
