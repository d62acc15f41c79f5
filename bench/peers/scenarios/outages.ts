/** Connections to Redis that are away while the write is made. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../test/support/eventually.js';
import { judge } from '../stage/judge.js';
import type { Stage, StagedInstance } from '../stage/stage.js';
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

  constructor(stage: Stage, writer: StagedInstance) {
    this.settled = stage.write(writer, 'save', ['users-in-us']).then(
      () => void (this.state = 'done'),
      () => void (this.state = 'failed'),
    );
  }

  /** Waits until the write has committed or is given up. */
  async committed(stage: Stage, before: string): Promise<void> {
    await eventually(async () => {
      if (this.state === 'waits' && (await stage.current('users-in-us')) === before) {
        throw new Error('The write has not committed');
      }
    });
  }
}

async function duringOutage(
  system: PeerSystem,
  open: () => Promise<Stage>,
  outageMs: number,
): Promise<Verdict> {
  if (system.keptIn !== 'redis') return notApplicable('not in Redis');
  const stage = await open();
  const [reader, writer] = [await stage.instance(), await stage.instance()];
  await stage.warm('users-in-us', reader, writer);
  const before = await stage.current('users-in-us');
  await Promise.all([reader.link.cut(), writer.link.cut()]);
  const write = new OngoingWrite(stage, writer);
  await write.committed(stage, before);
  await Promise.race([write.settled, delay(outageMs)]);
  await delay(SHORT_MS);
  const hasWaited = write.state === 'waits';
  // The reader first: whether it hears of a write that it was away for is another row.
  await reader.link.mend();
  await reader.cache.whenListening?.();
  const heard = reader.cache.hears?.(['users-in-us']);
  await writer.link.mend();
  await write.settled;
  await Promise.race([heard, delay(NOTICE_MS)]);
  return withCall(system, await judge(stage, 'users-in-us', reader, writer), write, hasWaited);
}

/** What the writing code notices of the call for the invalidation. */
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

/** With `refuses`, under the setting that refuses a write which cannot be announced. */
async function whileWriterIsCutOff(
  system: PeerSystem,
  open: () => Promise<Stage>,
  refuses: boolean,
): Promise<Verdict> {
  if (system.keptIn !== 'redis') return notApplicable('not in Redis');
  const stage = await open();
  const reader = await stage.instance();
  const writer = await stage.instance({ refusesUnannounced: refuses });
  await stage.warm('users-in-us', reader, writer);
  const before = await stage.current('users-in-us');
  await writer.link.cut();
  const write = new OngoingWrite(stage, writer);
  await write.committed(stage, before);
  const meanwhile = await judge(stage, 'users-in-us', reader);
  await Promise.race([write.settled, delay(LONG_MS)]);
  const isRefused = write.state === 'failed' && (await stage.current('users-in-us')) === before;
  await writer.link.mend();
  await write.settled;
  if (meanwhile.state !== 'stale') {
    return also(meanwhile, isRefused ? 'the write is refused' : undefined);
  }
  const afterwards = await eventuallyFresh(stage, reader);
  const verdict = afterwards ? stale('until the writer reaches Redis') : meanwhile;
  return withCall(system, verdict, write, false);
}

async function eventuallyFresh(stage: Stage, reader: StagedInstance): Promise<boolean> {
  const limitMs = performance.now() + NOTICE_MS;
  for (;;) {
    if ((await judge(stage, 'users-in-us', reader)).state === 'fresh') return true;
    if (performance.now() > limitMs) return false;
  }
}

export const readerCutOff: Scenario = {
  title: 'One reader is cut off from Redis while another instance writes',
  note: 'It reads once its connection is back. By hand: no memory in front of Redis, or empty it on every reconnect.',
  run: async (system, open) => {
    if (system.keptIn !== 'redis') return notApplicable('not in Redis');
    const stage = await open();
    const [reader, writer] = [await stage.instance(), await stage.instance()];
    await stage.warm('users-in-us', reader, writer);
    await reader.link.cut();
    await stage.write(writer, 'save', ['users-in-us']);
    await reader.link.mend();
    return judge(stage, 'users-in-us', reader, writer);
  },
};
