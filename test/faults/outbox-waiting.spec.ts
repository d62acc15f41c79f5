/** Rows that wait in the outbox: many of them, and some that outlive the database's own end. */
import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { isLong, representatives } from '../support/long-tests.js';
import type { RedisServer } from '../support/redis-server.js';
import type { Hold } from '../support/tcp-link.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { useFaultCluster } from './support/fault-tests.js';
import { expectReads, whileWatched, underWatch } from './support/healing.js';
import type { Member } from './support/member.js';
import { OUTBOX } from './support/outbox.js';
import { allWell, counted } from './support/redis-trouble.js';
import type { Register } from './support/register.js';
import {
  allHitAll,
  allRight,
  allRelayed,
  createRegisters,
  relayOf,
  waitingRows,
} from './support/relaying.js';
import { relayStep } from './support/steps.js';
import type { Watch } from './support/watch.js';

/** Far fewer than a busy machine answers. */
const MIN_READS = 10;
const OUTAGE_MS = isLong ? 5_000 : 1_500;
/** Registers that the service writes, and as many that others write. */
const OF_A_KIND = isLong ? 6 : 3;
const WRITE_PAUSE_MS = 10;
/** Counting so many rows is work, too. */
const LOOK_PAUSE_MS = 200;

describe('rows that wait in the outbox', () => {
  let cluster: FaultCluster;

  useFaultCluster((started) => {
    cluster = started;
  });

  /** As the triggers record it, without a notification. Every hundredth row is about the register. */
  async function fill(register: Register, rows: number, ids: number): Promise<void> {
    const [, even, odd] = register.views.map(({ path }) => path.split('=')[1]);
    await cluster.sql(
      `INSERT INTO ${OUTBOX} (table_name, regions)
         SELECT 'public.users', CASE WHEN n % 100 = 0
           THEN jsonb_build_object('id', jsonb_build_array(jsonb_build_array($3::text)),
             'region', jsonb_build_array(jsonb_build_array($4::text), jsonb_build_array($5::text)))
           ELSE jsonb_build_object(
             'id', (SELECT jsonb_agg(jsonb_build_array((1000000 + n * $2::int + i)::text))
                      FROM generate_series(1, $2::int) i),
             'region', jsonb_build_array(jsonb_build_array('Z' || n % 50))) END
           FROM generate_series(1, $1::int) n`,
      [rows, ids, register.id, even, odd],
    );
  }

  /** The number of reads that each instance has answered until the last check that found the outbox not empty. */
  async function readsUntilTold(watch: Watch): Promise<number[]> {
    const { members } = cluster;
    const before = members.map((member) => watch.readsOf(member));
    let answered: number[] = [];
    for (;;) {
      const now = members.map((member, index) => watch.readsOf(member) - (before[index] ?? 0));
      const rows = await waitingRows(cluster);
      if (rows === 0) return answered;
      answered = now;
      await delay(LOOK_PAUSE_MS);
    }
  }

  const waiting = [
    { rows: 100_000, ids: 1, leastReads: MIN_READS },
    // As many as are recorded one by one. It may be over before the others have been asked.
    { rows: 3_000, ids: 100, leastReads: 0 },
  ];

  it.each(representatives(waiting, 0))(
    'are published while reads go on: $rows rows with $ids ids each',
    async ({ rows, ids, leastReads }) => {
      await underWatch(cluster, async (register, watch) => {
        await fill(register, rows, ids);
        await register.writeOutside();
        const readsWhileWaiting = await readsUntilTold(watch);
        await allRight(cluster, [register]);
        await expectReads(cluster, watch);
        expect(Math.min(...readsWhileWaiting)).toBeGreaterThanOrEqual(leastReads);
      });
    },
  );

  const steps: readonly { when: string; hold: (relay: Member) => Hold }[] = [
    { when: 'before it is published', hold: relayStep.begin },
    { when: 'when it has been published', hold: relayStep.remove },
  ];

  it.each(representatives(steps, 0))('outlive a kill -9 of PostgreSQL $when', async ({ hold }) => {
    const registers = await createRegisters(cluster, 3);
    const [watched] = registers as [Register];
    await whileWatched(cluster, watched, async (watch) => {
      const held = hold(await relayOf(cluster));
      for (const register of registers) await register.writeOutside();
      await held.reached();
      await cluster.postgres.kill();
      await expectReads(cluster, watch);
      await cluster.postgres.restart();
      expect(await waitingRows(cluster)).toBeGreaterThan(0);
      held.drop();
      await allRelayed(cluster);
      await allRight(cluster, registers);
      await watched.writeOutside();
    });
  });

  it('outlive the end of all instances', async () => {
    const registers = await createRegisters(cluster, 3);
    const [watched] = registers as [Register];
    await whileWatched(cluster, watched, async () => {
      await Promise.all(cluster.members.map((member) => member.kill()));
      for (const register of registers) await register.writeOutside();
      await Promise.all(cluster.members.map((member) => member.mend()));
      await allRelayed(cluster);
      await allRight(cluster, registers);
    });
  });

  const outages = [
    {
      outage: 'is killed and comes back empty',
      begin: (redis: RedisServer) => redis.kill(),
      end: (redis: RedisServer) => redis.restart({ empty: true }),
    },
    {
      outage: 'is killed and comes back with what it held',
      begin: async (redis: RedisServer) => {
        await redis.save();
        await redis.kill();
      },
      end: (redis: RedisServer) => redis.restart(),
    },
    {
      outage: 'is stopped and goes on',
      begin: async (redis: RedisServer) => redis.pause(),
      end: async (redis: RedisServer) => redis.resume(),
    },
  ];

  it.each(representatives(outages, 0))(
    'while Redis $outage: all writes count, of every instance and of other clients, up to and over its end',
    async ({ begin, end }) => {
      const [watched, ...registers] = (await createRegisters(cluster, 1 + 2 * OF_A_KIND)) as [
        Register,
        ...Register[],
      ];
      const [ofService, ofOthers] = [registers.slice(OF_A_KIND), registers.slice(0, OF_A_KIND)];
      await allHitAll(cluster, registers);
      const { members } = cluster;
      const unpublished = await counted(members[0], 'unpublished_writes_total');
      await whileWatched(cluster, watched, async (watch) => {
        const isOver = new AbortController();
        await begin(cluster.redis);
        const writing = [
          ...members.map((member, place) =>
            keepWriting(
              ofService.filter((_, index) => index % members.length === place),
              async (register) => expect((await register.write(member)).status).toBe(200),
              isOver.signal,
            ),
          ),
          keepWriting([...ofOthers, watched], (each) => each.writeOutside(), isOver.signal),
        ];
        await eventually(async () => {
          expect(await waitingRows(cluster)).toBeGreaterThan(OF_A_KIND);
        });
        await delay(OUTAGE_MS);
        await expectReads(cluster, watch);
        await end(cluster.redis);
        isOver.abort();
        await Promise.all(writing);
        await allRelayed(cluster);
        await allRight(cluster, [...registers, watched]);
        await allWell(cluster);
      });
      await allHitAll(cluster, registers);
      await relayOf(cluster);
      expect(await counted(members[0], 'unpublished_writes_total')).toBeGreaterThan(unpublished);
    },
  );
});

/** One after the other, each at least once more after the end. */
async function keepWriting(
  registers: readonly Register[],
  write: (register: Register) => Promise<unknown>,
  until: AbortSignal,
): Promise<void> {
  for (let rest = registers.length, turn = 0; rest > 0; turn += 1) {
    if (until.aborted) rest -= 1;
    const register = registers[turn % registers.length];
    if (register) await write(register);
    await delay(WRITE_PAUSE_MS);
  }
}
