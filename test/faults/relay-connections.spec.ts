/** Writes past the service, whose relay loses one of its connections, or hears nothing over it. */
import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { isLong } from '../support/long-tests.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, HEALING_LIMIT_MS, whileWatched } from './support/healing.js';
import { allWell, degraded } from './support/redis-trouble.js';
import { Register } from './support/register.js';
import {
  allHitAll,
  allRight,
  allTold,
  createRegisters,
  relayOf,
  relayStateOf,
  terminateRelay,
} from './support/relaying.js';
import { relayStep } from './support/steps.js';

const WRITTEN_REGISTERS = 20;
const WRITE_PAUSE_MS = 20;
const TERMINATIONS = isLong ? 6 : 2;

describe('the relay', () => {
  let cluster: FaultCluster;

  useFaultCluster((started) => {
    cluster = started;
  });

  it(
    'whose sessions are ended over and over loses no write',
    async () => {
      const registers = await createRegisters(cluster, WRITTEN_REGISTERS);
      const watched = await Register.create(cluster);
      await allHitAll(cluster, registers);
      await whileWatched(cluster, watched, async () => {
        let isOver = false;
        const writing = (async () => {
          for (let turn = 0; !isOver || turn < registers.length; turn += 1) {
            await registers[turn % registers.length]?.writeOutside();
            await watched.writeOutside();
            await delay(WRITE_PAUSE_MS);
          }
        })();
        for (let ended = 0; ended < TERMINATIONS; ended += 1) {
          await eventually(async () => expect(await terminateRelay(cluster)).toBe(true));
        }
        isOver = true;
        await writing;
        await allTold(cluster);
        await allRight(cluster, [...registers, watched]);
      });
      await relayOf(cluster);
    },
    TEST_MS,
  );

  it(
    'that nobody notifies looks by itself',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        // The others would dismiss it before long, and look for themselves.
        const relay = await relayOf(cluster);
        const others = cluster.members.filter((member) => member !== relay);
        for (const other of others) other.pause();
        await register.writeUnnoticed();
        expect((await register.holding()).isUntold).toBe(true);
        await allTold(cluster);
        await allRight(cluster, [register]);
        for (const other of others) other.resume();
      });
    },
    TEST_MS,
  );

  it(
    'whose connection to the database goes dead is dismissed, and notices it by itself',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const relay = await relayOf(cluster);
        const held = relayStep.notified(relay);
        await register.writeOutside();
        await held.reached();
        await allTold(cluster);
        await allRight(cluster, [register]);
        await expectReads(cluster, watch);
        // Nothing arrives any more, the end of the connection neither.
        await eventually(
          async () => expect(await relayStateOf(relay)).toBe('standby'),
          HEALING_LIMIT_MS,
        );
        held.drop();
        await register.writeOutside();
      });
    },
    TEST_MS,
  );

  it(
    'that alone is cut off from Redis leaves it to another, with what it has written itself',
    async () => {
      const [register, own] = (await createRegisters(cluster, 2)) as [Register, Register];
      await allHitAll(cluster, [own]);
      await whileWatched(cluster, register, async (watch) => {
        const relay = await relayOf(cluster);
        relay.redis.refuse();
        await degraded(relay, /Redis is not available/);
        await register.writeOutside();
        expect((await own.write(relay)).status).toBe(200);
        await allTold(cluster);
        expect(await relayOf(cluster)).not.toBe(relay);
        await allRight(cluster, [register, own]);
        await expectReads(cluster, watch);
        relay.redis.calm();
        await allWell(cluster);
        await register.writeOutside();
      });
      await allHitAll(cluster, [own]);
    },
    TEST_MS,
  );
});
