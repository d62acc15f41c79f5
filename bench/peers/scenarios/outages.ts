/** Connections to Redis that are away while the write is made. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../test/support/eventually.js';
import { verdictOf } from '../cluster/verdict-of.js';
import type { Cluster, ClusterInstance } from '../cluster/cluster.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Scenario } from './scenario.js';
import { also, notApplicable, stale, type Verdict } from './verdict.js';

const SHORT_MS = 1_000;
/** Longer than ioredis goes on trying one command by default. */
const LONG_MS = 30_000;
/** For a notice that was kept back to be sent again. */
const NOTICE_MS = 5_000;

/** A write whose call for the invalidation may fail, or wait until Redis is back. */
class OngoingWrite {
  state: 'waits' | 'done' | 'failed' = 'waits';
  readonly settled: Promise<void>;

  constructor(cluster: Cluster, writer: ClusterInstance) {
    this.settled = cluster.write(writer, 'save', ['users-in-us']).then(
      () => void (this.state = 'done'),
      () => void (this.state = 'failed'),
    );
  }

  /** Waits until the write has committed or is given up. */
  async committed(cluster: Cluster, before: string): Promise<void> {
    await eventually(async () => {
      if (this.state === 'waits' && (await cluster.current('users-in-us')) === before) {
        throw new Error('The write has not committed');
      }
    });
  }
}

async function duringOutage(
  system: PeerSystem,
  open: () => Promise<Cluster>,
  outageMs: number,
): Promise<Verdict> {
  if (system.keptIn !== 'redis') return notApplicable('not in Redis');
  const cluster = await open();
  const [reader, writer] = [await cluster.instance(), await cluster.instance()];
  await cluster.warm('users-in-us', reader, writer);
  const before = await cluster.current('users-in-us');
  await Promise.all([reader.proxy.cut(), writer.proxy.cut()]);
  const write = new OngoingWrite(cluster, writer);
  await write.committed(cluster, before);
  await Promise.race([write.settled, delay(outageMs)]);
  await delay(SHORT_MS);
  const hasWaited = write.state === 'waits';
  // The reader first: whether it learns of a write made while it was away is another row.
  await reader.proxy.mend();
  await reader.cache.whenListening?.();
  const received = reader.cache.invalidationReceived?.(['users-in-us']);
  await writer.proxy.mend();
  await write.settled;
  await Promise.race([received, delay(NOTICE_MS)]);
  return withCall(
    system,
    await verdictOf(cluster, 'users-in-us', reader, writer),
    write,
    hasWaited,
  );
}

/** Adds the outcome of the call for the invalidation, as the writing code sees it. */
function withCall(
  system: PeerSystem,
  verdict: Verdict,
  write: OngoingWrite,
  hasWaited: boolean,
): Verdict {
  if (system.invalidatesByItself) return verdict;
  if (verdict.state === 'fresh') return also(verdict, hasWaited ? 'the call waits' : undefined);
  return also(
    verdict,
    write.state === 'failed' ? 'the call rejects' : 'the call returns without an error',
  );
}

export const shortOutage: Scenario = {
  title: 'Redis is out of reach for a second while a write is made',
  note: 'Its data stays. The request that writes waits where the client queues commands.',
  run: (system, open) => duringOutage(system, open, SHORT_MS),
};

export const longOutage: Scenario = {
  title: 'The same for longer than the client tries',
  note: 'At most 30 s; node-redis queues without end, ioredis gives a command up after 20 attempts (about 10 s). By hand: an outbox in the same transaction.',
  run: (system, open) => duringOutage(system, open, LONG_MS),
};

export const writerCutOff: Scenario = {
  title: 'Only the writer is cut off from Redis; another instance reads meanwhile',
  note: 'Tidemark runs with `CACHE_WRITE_POLICY=refuse`, its setting for this case: the write is rolled back with 503.',
  run: (system, open) => whileWriterIsCutOff(system, open, true),
};

export const writerCutOffByDefault: Scenario = {
  title: 'Only the writer is cut off from Redis, with `CACHE_WRITE_POLICY=commit`, the default',
  note: 'The README names this limit.',
  run: (system, open) => whileWriterIsCutOff(system, open, false),
};

/** With `refuses`, under the setting that refuses a write whose invalidation cannot be published. */
async function whileWriterIsCutOff(
  system: PeerSystem,
  open: () => Promise<Cluster>,
  refuses: boolean,
): Promise<Verdict> {
  if (system.keptIn !== 'redis') return notApplicable('not in Redis');
  const cluster = await open();
  const reader = await cluster.instance();
  const writer = await cluster.instance({ refusesUnpublished: refuses });
  await cluster.warm('users-in-us', reader, writer);
  const before = await cluster.current('users-in-us');
  await writer.proxy.cut();
  const write = new OngoingWrite(cluster, writer);
  await write.committed(cluster, before);
  const meanwhile = await verdictOf(cluster, 'users-in-us', reader);
  await Promise.race([write.settled, delay(LONG_MS)]);
  const isRefused = write.state === 'failed' && (await cluster.current('users-in-us')) === before;
  await writer.proxy.mend();
  await write.settled;
  if (meanwhile.state !== 'stale') {
    return also(meanwhile, isRefused ? 'the write is refused' : undefined);
  }
  const afterwards = await eventuallyFresh(cluster, reader);
  const verdict = afterwards ? stale('until the writer reaches Redis') : meanwhile;
  return withCall(system, verdict, write, false);
}

async function eventuallyFresh(cluster: Cluster, reader: ClusterInstance): Promise<boolean> {
  const limitMs = performance.now() + NOTICE_MS;
  for (;;) {
    if ((await verdictOf(cluster, 'users-in-us', reader)).state === 'fresh') return true;
    if (performance.now() > limitMs) return false;
  }
}

export const readerCutOff: Scenario = {
  title: 'One reader is cut off from Redis while another instance writes',
  note: 'It reads once its connection is back. By hand: no memory in front of Redis, or empty it on every reconnect.',
  run: async (system, open) => {
    if (system.keptIn !== 'redis') return notApplicable('not in Redis');
    const cluster = await open();
    const [reader, writer] = [await cluster.instance(), await cluster.instance()];
    await cluster.warm('users-in-us', reader, writer);
    await reader.proxy.cut();
    await cluster.write(writer, 'save', ['users-in-us']);
    await reader.proxy.mend();
    return verdictOf(cluster, 'users-in-us', reader, writer);
  },
};
