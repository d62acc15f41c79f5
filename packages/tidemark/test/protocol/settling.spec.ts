/**
 * Long transactions, with a change of epoch or a mark without an owner meanwhile: how long reads wait, how often
 * PostgreSQL is queried, and which events are emitted. The tests control time.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { CacheEvents } from '../../src/core/ports/cache-events.js';
import { FreshnessGate } from '../../src/core/freshness-gate.js';
import { Settlement } from '../../src/core/settlement.js';
import { randomToken } from '../../src/core/versions.js';
import { WriterActivity } from '../../src/core/ports/writer-activity.js';
import type { TableVersionNames } from '../../src/core/ports/version-store.js';
import { MemoryVersionStore } from '../../src/core/memory/memory-version-store.js';
import { ManualTime } from './support/manual-time.js';
import { writingTransactions } from './support/writing-transactions.js';

const LEASE_MS = 2_000;
const WAIT_MS = 100;
const MAX_POLL_MS = 2_000;
const OPTIONS = { leaseMs: LEASE_MS, pollMs: 25, maxPollMs: MAX_POLL_MS, waitMs: WAIT_MS };
const HOUR_MS = 3_600_000;

const [users, orders] = ['public.users', 'public.orders'].map(
  (table): readonly TableVersionNames[] => [{ table, names: ['*'] }],
) as [readonly TableVersionNames[], readonly TableVersionNames[]];

class CountedActivity extends WriterActivity {
  readonly running = new Map<number, string>();
  questions = 0;

  override async writers(): ReturnType<WriterActivity['writers']> {
    this.questions += 1;
    return writingTransactions(this.running);
  }
}

let time: ManualTime;
let store: MemoryVersionStore;
let activity: CountedActivity;
let gate: FreshnessGate;
/** The reports of the transactions awaited: their processes, each time that they changed. */
let awaited: number[][];

/** An instance of the service over the store. */
function instance(): FreshnessGate {
  const events = new CacheEvents();
  events.on('awaiting', ({ transactions }) => awaited.push([...transactions.keys()]));
  const settlement = new Settlement(
    { store, activity, events, token: randomToken, clock: time, timers: time },
    OPTIONS,
  );
  const schema = { isOfVersion: () => true };
  return new FreshnessGate({ store, settlement, schema, token: randomToken });
}

/** The outcome of a read that is answered without time passing. */
async function readAtOnce(dependencies = users, by = gate): Promise<string> {
  const freshness = await time.withoutWaiting(by.check(dependencies));
  return freshness.trusted ? 'trusted' : freshness.reason;
}

beforeEach(async () => {
  time = new ManualTime();
  store = new MemoryVersionStore({ clock: time });
  activity = new CountedActivity();
  awaited = [];
  gate = instance();
  await Promise.all([readAtOnce(users), readAtOnce(orders)]);
  activity.questions = 0;
});

describe('a transaction that lasts through a change of epoch', () => {
  beforeEach(() => {
    activity.running.set(42, 'xid 1');
    gate.distrust(0);
  });

  async function firstRead(): Promise<void> {
    const first = gate.check(users);
    await time.pass(WAIT_MS);
    expect(await time.withoutWaiting(first)).toEqual({ trusted: false, reason: 'settling' });
  }

  it('delays the simultaneous reads, which wait together, and no later ones', async () => {
    const first = gate.check(users);
    await time.pass(WAIT_MS - 1);
    expect(await time.isPending(first)).toBe(true);
    const second = gate.check(users);
    await time.pass(1);
    expect(await time.withoutWaiting(Promise.all([first, second]))).toEqual(
      Array.from({ length: 2 }, () => ({ trusted: false, reason: 'settling' })),
    );
    const { questions } = activity;
    for (let read = 0; read < 20; read += 1) expect(await readAtOnce()).toBe('settling');
    expect(activity.questions).toBe(questions);
  });

  it('is checked less and less often, once for all tables', async () => {
    const reads = [gate.check(users), gate.check(orders)];
    await time.pass(WAIT_MS);
    await time.withoutWaiting(Promise.all(reads));
    await time.pass(HOUR_MS);
    // The first for each table and for the schema's epoch, those of the first seconds, one per longest pause.
    expect(activity.questions).toBeLessThanOrEqual(3 + 7 + HOUR_MS / MAX_POLL_MS);
    expect(await readAtOnce()).toBe('settling');
  });

  it('lets reads use the cache again without a read that triggers it', async () => {
    await firstRead();
    await time.pass(HOUR_MS);
    activity.running.clear();
    await time.pass(MAX_POLL_MS);
    expect(await readAtOnce()).toBe('trusted');
    const { questions } = activity;
    await time.pass(HOUR_MS);
    expect(activity.questions).toBe(questions);
  });

  it('is no longer waited for when another instance has settled the epoch', async () => {
    await firstRead();
    const [reading] = await store.read([{ table: 'public.users', names: [] }]);
    const [schema] = await store.read([{ table: '#schema', names: [] }]);
    await store.settleEpoch('public.users', reading?.epoch ?? '');
    await store.settleEpoch('#schema', schema?.epoch ?? '');
    expect(await readAtOnce()).toBe('trusted');
    await time.pass(MAX_POLL_MS);
    const { questions } = activity;
    await time.pass(HOUR_MS);
    expect(activity.questions).toBe(questions);
    expect(awaited.at(-1)).toEqual([]);
  });

  it('is reported once, and its end too', async () => {
    activity.running.set(43, 'xid 2');
    await firstRead();
    expect(awaited).toEqual([[42, 43]]);
    await time.pass(HOUR_MS);
    activity.running.delete(42);
    await time.pass(MAX_POLL_MS);
    activity.running.clear();
    await time.pass(MAX_POLL_MS);
    expect(awaited).toEqual([[42, 43], [43], []]);
  });

  it('is not reported where it ends within the wait', async () => {
    const first = gate.check(users);
    await time.pass(1);
    activity.running.clear();
    await time.pass(WAIT_MS - 1);
    expect(await time.withoutWaiting(first)).toMatchObject({ trusted: true });
    expect(awaited).toEqual([]);
  });

  it('is waited for again, once, when the epoch changes again', async () => {
    await firstRead();
    gate.distrust(0);
    await firstRead();
    expect(await readAtOnce()).toBe('settling');
  });
});

describe('a transaction that lasts under a mark', () => {
  const mark = { writeId: 'w', backendPid: 42, tables: [{ table: 'public.users', names: ['*'] }] };

  beforeEach(async () => {
    activity.running.set(42, 'xid 1');
    await store.begin(mark, randomToken(), LEASE_MS);
    await time.pass(LEASE_MS + 1);
  });

  it('is checked once per lease, however many requests read', async () => {
    const leases = 50;
    for (let step = 0; step < leases * 10; step += 1) {
      expect(await readAtOnce()).toBe('in-doubt');
      await time.pass(LEASE_MS / 10);
    }
    expect(activity.questions).toBeLessThanOrEqual(leases + 1);
  });
});
