import { describe, expect, it } from '@jest/globals';
import { representatives } from '../support/long-tests.js';
import type { PostgresServer } from '../support/postgres-server.js';
import type { Hold } from '../support/tcp-link.js';
import { eventually } from '../support/eventually.js';
import { waitingCommit, whileStandbyIsMissing } from './support/commit-wait.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

interface Ending {
  readonly how: string;
  readonly end: (postgres: PostgresServer) => Promise<void>;
}

const endings: readonly Ending[] = [
  { how: 'fast', end: (postgres) => postgres.end('fast') },
  { how: 'immediately', end: (postgres) => postgres.end('immediate') },
  { how: 'by kill -9 of its first process', end: (postgres) => postgres.killPostmaster() },
];

describe('PostgreSQL ended', () => {
  let cluster: FaultCluster;
  let writer: Member;

  useFaultCluster((started) => {
    cluster = started;
    [writer] = started.members;
  });

  describe.each(representatives(endings, 2))('$how', ({ end }) => {
    it(
      'leaves hits and refuses the rest, until it is back',
      async () => {
        const register = await Register.create(cluster);
        await whileWatched(cluster, register, async (watch) => {
          await end(cluster.postgres);
          for (const member of cluster.members) {
            expect((await member.get(register.path)).cache).toBe('hit');
            expect((await member.get('/users/2000000000')).status).toBe(503);
            expect((await register.write(member)).status).toBe(503);
            expect(await member.instance.health()).toBe('error');
          }
          await expectReads(cluster, watch);

          await cluster.postgres.restart();
          for (const member of cluster.members) {
            await eventually(async () => expect((await register.write(member)).status).toBe(200));
            await eventually(async () => expect(await member.instance.health()).toBe('ok'));
          }
        });
      },
      TEST_MS,
    );

    it.each<{ when: string; hold: (writer: Member) => Hold; number: number }>([
      { when: 'between begin and COMMIT', hold: writeStep.commit, number: 0 },
      { when: 'before COMMIT is answered', hold: writeStep.committed, number: 1 },
    ])(
      'under a write $when',
      async ({ hold, number }) => {
        const register = await Register.create(cluster);
        await whileWatched(cluster, register, async (watch) => {
          const held = hold(writer);
          const write = register.write(writer);
          await held.reached();
          expect(await cluster.marks()).toHaveLength(1);
          expect(await register.stored()).toBe(number);
          await end(cluster.postgres);
          held.drop();
          expect((await write).status).toBe(503);
          // Nobody can be asked: what is in doubt stays in doubt.
          expect(await cluster.marks()).toHaveLength(1);
          await expectReads(cluster, watch);

          await cluster.postgres.restart();
          expect(await register.stored()).toBe(number);
        });
      },
      TEST_MS,
    );
  });

  it.each(representatives(endings.slice(1), 0))(
    '$how while a COMMIT waits for a standby, which recovery then carries out',
    async ({ end }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        await whileStandbyIsMissing(cluster, async (letGo) => {
          const write = register.write(writer);
          await waitingCommit(cluster);
          expect(await register.stored()).toBe(0);
          await end(cluster.postgres);
          expect((await write).status).toBe(503);
          await cluster.postgres.restart();
          await letGo();
          expect(await register.stored()).toBe(1);
        });
      });
    },
    TEST_MS,
  );
});
