/** Requests of one turn of the event loop share the reading of the versions, and the verdict on it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CacheEvents } from '../../src/core/ports/cache-events.js';
import { systemClock, systemTimers } from '../../src/core/ports/clock.js';
import { FreshnessGate, type Freshness } from '../../src/core/freshness-gate.js';
import { Settlement } from '../../src/core/settlement.js';
import { randomToken } from '../../src/core/versions.js';
import type { TableReading, TableVersionNames } from '../../src/core/ports/version-store.js';
import { WriterActivity, type WritingTransaction } from '../../src/core/ports/writer-activity.js';
import { TurnMemoryVersionStore } from '../../src/core/memory/memory-version-store.js';

const TABLE = 'public.users';
const DEPENDENCIES: readonly TableVersionNames[] = [{ table: TABLE, names: ['*'] }];

class NoWriters extends WriterActivity {
  override async writers(): Promise<ReadonlyMap<number, WritingTransaction>> {
    return new Map();
  }
}

class CountingStore extends TurnMemoryVersionStore {
  readings = 0;

  protected override readNow(
    ...tables: Parameters<TurnMemoryVersionStore['readNow']>
  ): readonly TableReading[] {
    this.readings += 1;
    return super.readNow(...tables);
  }
}

let store: CountingStore;
let gate: FreshnessGate;

beforeEach(async () => {
  store = new CountingStore();
  const options = { leaseMs: 2_000, pollMs: 1, maxPollMs: 1, waitMs: 1_000 };
  const events = new CacheEvents();
  const settlement = new Settlement(
    {
      store,
      activity: new NoWriters(),
      events,
      token: randomToken,
      clock: systemClock,
      timers: systemTimers,
    },
    options,
  );
  const schema = { isOfVersion: () => true };
  gate = new FreshnessGate({ store, settlement, schema, token: randomToken });
  // Gives the tables their epochs.
  while (!(await gate.check(DEPENDENCIES)).trusted);
  store.readings = 0;
});

function stampOf(freshness: Freshness): string {
  if (!freshness.trusted) throw new Error(`Not trusted: ${freshness.reason}`);
  return freshness.stamp.text;
}

describe('a verdict', () => {
  it('is shared by all requests of one turn', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => gate.check(DEPENDENCIES)));
    expect(new Set(all.map(stampOf)).size).toBe(1);
    expect(store.readings).toBe(1);
  });

  it('is repeated for later requests', async () => {
    const before = stampOf(await gate.check(DEPENDENCIES));
    const mark = { writeId: 'w', backendPid: 1, tables: [{ table: TABLE, names: ['*'] }] };
    await store.begin(mark, randomToken(), 2_000);
    expect(await gate.check(DEPENDENCIES)).toEqual({ trusted: false, reason: 'in-doubt' });
    await store.end('w', [TABLE], randomToken());
    expect(stampOf(await gate.check(DEPENDENCIES))).not.toBe(before);
  });

  it('sees a write that began in the same turn, after the first request', async () => {
    const first = gate.check(DEPENDENCIES);
    const mark = { writeId: 'w', backendPid: 1, tables: [{ table: TABLE, names: ['*'] }] };
    await store.begin(mark, randomToken(), 2_000);
    const second = gate.check(DEPENDENCIES);
    expect(await second).toEqual({ trusted: false, reason: 'in-doubt' });
    expect(await first).toBe(await second);
  });

  it('is not shared across an outage that was seen in between', async () => {
    const old = stampOf(await gate.check(DEPENDENCIES));
    const before = gate.check(DEPENDENCIES);
    gate.distrust(0);
    const later = stampOf(await gate.check(DEPENDENCIES));
    expect(later).not.toBe(old);
    expect(await before).not.toMatchObject({ stamp: { text: old } });
    expect(stampOf(await gate.check(DEPENDENCIES))).toBe(later);
  });
});
