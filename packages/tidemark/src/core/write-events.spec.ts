import { describe, expect, it } from 'vitest';
import { MemoryVersionStore } from './memory/memory-version-store.js';
import { CacheEvents, type Invalidation } from './ports/cache-events.js';
import { systemTimers } from './ports/clock.js';
import type { TableVersionNames } from './ports/version-store.js';
import { randomToken } from './versions.js';
import { WriteProtocol } from './write-protocol.js';

const USERS: readonly TableVersionNames[] = [{ table: 'public.users', names: ['*', 'id=7'] }];
const MASKED: readonly TableVersionNames[] = [{ table: 'public.users', names: ['*', 'id=?'] }];
const CAUSE = {
  origin: 'PATCH /users/:id',
  statements: [{ title: 'UPDATE public.users', fingerprint: '0123456789abcdef' }],
};

class FailingStore extends MemoryVersionStore {
  readonly failing = new Set<'begin' | 'end' | 'abort'>();

  override begin(...args: Parameters<MemoryVersionStore['begin']>): Promise<void> {
    return this.failing.has('begin') ? this.#fail() : super.begin(...args);
  }

  override end(...args: Parameters<MemoryVersionStore['end']>): Promise<void> {
    return this.failing.has('end') ? this.#fail() : super.end(...args);
  }

  override abort(...args: Parameters<MemoryVersionStore['abort']>): Promise<void> {
    return this.failing.has('abort') ? this.#fail() : super.abort(...args);
  }

  #fail(): Promise<never> {
    return Promise.reject(new Error('away'));
  }
}

function setUp() {
  const events = new CacheEvents();
  const store = new FailingStore();
  const clock = { ms: 100, nowMs: () => clock.ms };
  const asked = { names: 0, entries: 0 };
  const writes = new WriteProtocol({
    store,
    events,
    answers: {
      regionNames: () => {
        asked.names += 1;
        return MASKED;
      },
      endedLocally: () => {
        asked.entries += 1;
        return 3;
      },
    },
    token: randomToken,
    clock,
    timers: systemTimers,
    policy: 'commit',
    leaseMs: 1_000,
    retryMs: 1,
    drainMs: 1_000,
    refuse: (cause) => new Error('refused', { cause }),
  });
  const begin = async (written: Parameters<WriteProtocol['begin']>[0] = USERS) => {
    const write = await writes.begin(written, 7, () => Promise.resolve());
    writes.emitInvalidated(write, CAUSE);
    return write;
  };
  return { events, store, clock, asked, writes, begin };
}

/** The events as they come. */
function eventsOf(events: CacheEvents): unknown[] {
  const seen: unknown[] = [];
  events.on('invalidated', (event) => seen.push(event));
  events.on('concluded', (event) => seen.push(event));
  return seen;
}

describe('the events of a write', () => {
  it('are its masked regions, its cause and its ended entries, and then its end under one id', async () => {
    const { events, clock, writes, begin } = setUp();
    const seen = eventsOf(events);
    const write = await begin();
    clock.ms += 12;
    writes.conclude(write, 'committed');
    await writes.drain();
    const { writeId } = write;
    expect(seen).toEqual([
      { writeId, source: 'service', ...CAUSE, regions: MASKED, localEntries: 3 },
      { writeId, outcome: 'committed', durationMs: 12 },
    ]);
  });

  it.each(['committed', 'rolled-back', 'unknown'] as const)(
    'end with the outcome %s, also if the marks cannot be removed',
    async (outcome) => {
      const { events, store, writes, begin } = setUp();
      const seen = eventsOf(events);
      const write = await begin();
      store.failing.add('end').add('abort');
      writes.conclude(write, outcome);
      await writes.drain();
      expect(seen.slice(1)).toEqual([{ writeId: write.writeId, outcome, durationMs: 0 }]);
    },
  );

  it('end with the outcome of a statement that commits by itself', async () => {
    const { events, writes, begin } = setUp();
    const seen = eventsOf(events);
    const write = await begin('schema');
    writes.endLong(write, 7, 'unknown');
    await writes.drain();
    expect(seen.slice(1)).toMatchObject([{ writeId: write.writeId, outcome: 'unknown' }]);
  });

  it.each(['all-tables', 'schema'] as const)(
    'of a write to %s have one region, every table',
    async (written) => {
      const { events, begin } = setUp();
      const seen = eventsOf(events);
      await begin(written);
      expect(seen).toMatchObject([{ regions: [{ table: '*', names: ['*'] }], localEntries: 3 }]);
    },
  );

  it('are of an outside writer if others have committed it, and have no end', async () => {
    const { events, writes } = setUp();
    const seen = eventsOf(events);
    await writes.publish(USERS);
    await writes.drain();
    expect(seen).toEqual([
      {
        writeId: expect.stringMatching(/^.{16}$/),
        source: 'outside',
        origin: undefined,
        statements: [],
        regions: MASKED,
        localEntries: 3,
      },
    ]);
  });

  it('are none for a write that is published nowhere', async () => {
    const { events, store, writes, begin } = setUp();
    const seen = eventsOf(events);
    store.failing.add('begin');
    const write = await begin();
    store.failing.clear();
    writes.conclude(write, 'committed');
    await writes.drain();
    expect(seen).toEqual([]);
  });

  it('cost neither masks nor counts while nothing listens', async () => {
    const { events, asked, writes, begin } = setUp();
    writes.end(await begin());
    await writes.publish(USERS);
    await writes.drain();
    expect(asked).toEqual({ names: 0, entries: 0 });
    const seen: Invalidation[] = [];
    events.on('invalidated', (event) => seen.push(event));
    await begin();
    expect(asked).toEqual({ names: 1, entries: 1 });
    expect(seen).toHaveLength(1);
  });
});
