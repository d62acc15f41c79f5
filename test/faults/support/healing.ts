import { expect } from 'vitest';
import { eventually } from '../../support/eventually.js';
import type { FaultCluster } from './fault-cluster.js';
import type { Member } from './member.js';
import { Register } from './register.js';
import { Watch } from './watch.js';

/** Length of a mark's lease: `markLeaseMs` of the query cache, which no variable changes. */
export const LEASE_MS = 2_000;
/**
 * The service promises hits again within five seconds after a fault, and a mark whose writer is gone
 * is not settled before its lease has run out.
 */
const PROMISED_MS = 5_000 + LEASE_MS;
/** Long enough for a busy machine: only a fault that never heals exceeds the limit. */
export const HEALING_LIMIT_MS = 4 * PROMISED_MS;

/** Every view of the register is a hit on every running instance. */
export async function allHit(cluster: FaultCluster, register: Register): Promise<void> {
  await eventually(async () => {
    for (const member of cluster.running) {
      for (const { path } of register.views) await hit(member, path);
    }
  }, HEALING_LIMIT_MS);
}

async function hit(member: Member, path: string): Promise<void> {
  const answer = await member.get(path);
  if (answer.cache === 'hit') return;
  const status = answer.headers['cache-status'];
  throw new Error(`${member.name} ${path}: ${answer.status} ${status ?? 'not cached'}`);
}

/**
 * Runs `work` (which begins and ends a fault) while the register is read on all instances. It then expects that no
 * answer was wrong or late, that hits come back without help and with no mark left, and that they equal the stored rows.
 */
export async function whileWatched(
  cluster: FaultCluster,
  register: Register,
  work: (watch: Watch) => Promise<void>,
): Promise<void> {
  await allHit(cluster, register);
  const watch = new Watch(cluster, register);
  try {
    await work(watch);
    await expectReads(cluster, watch);
    await allHit(cluster, register);
    await eventually(async () => expect(await cluster.marks()).toEqual([]), HEALING_LIMIT_MS);
  } finally {
    await watch.stop();
  }
  expect(watch.violations).toEqual([]);
  await expectHitsOfWhatIsStored(cluster, register);
}

/** The same with a new register; returns the number stored at the end. */
export async function underWatch(
  cluster: FaultCluster,
  work: (register: Register, watch: Watch) => Promise<void>,
): Promise<number> {
  const register = await Register.create(cluster);
  await whileWatched(cluster, register, (watch) => work(register, watch));
  return register.stored();
}

/** The given instances answer every view of the register with this outcome of their cache. */
export async function expectViews(
  members: readonly Member[],
  register: Register,
  cache: 'hit' | 'bypass',
): Promise<void> {
  for (const member of members) {
    for (const { path } of register.views) {
      expect([member.name, path, (await member.get(path)).cache]).toEqual([
        member.name,
        path,
        cache,
      ]);
    }
  }
}

/** Every running instance answers once more, so that the next check covers reads after this point. */
export async function expectReads(cluster: FaultCluster, watch: Watch, reads = 8): Promise<void> {
  const enough = cluster.running.map((member) => ({
    member,
    least: watch.readsOf(member) + reads,
  }));
  for (const { member, least } of enough) {
    await eventually(() => expect(watch.readsOf(member)).toBeGreaterThanOrEqual(least));
  }
}

async function expectHitsOfWhatIsStored(cluster: FaultCluster, register: Register): Promise<void> {
  await allHit(cluster, register);
  const stored = await register.stored();
  const statements = await cluster.statementsDuring(async () => {
    for (const member of cluster.running) {
      for (const view of register.views) {
        const answer = await member.get(view.path);
        expect(answer.headers['cache-status']).toMatch(/^tidemark; hit/);
        expect([view.path, view.shows(answer, stored)]).toEqual([view.path, true]);
      }
    }
  });
  expect(statements).toEqual([]);
}
