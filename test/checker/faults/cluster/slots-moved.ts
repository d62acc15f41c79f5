/** Slots move from one primary to another under load, step by step. */
import type { RedisServer } from '../../../support/redis-server.js';
import { SlotMigration } from '../../../support/slot-migration.js';
import { seconds, type Fault, type FaultContext } from '../fault.js';
import { withRedis } from '../redis-client.js';
import { clusterOf } from './cluster-of.js';

/** Slots with entries that move together with that of the users. */
const OTHER_SLOTS = 8;
/** Keys that move in one step. */
const STEP_KEYS = 2;

const common = {
  part: 'redis',
  on: ['cluster'],
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
} satisfies Partial<Fault>;

export const slotsMoved: Fault = {
  ...common,
  kind: 'slots moved to another primary',
  run: async (context) => {
    const [from, to] = await twoPrimaries(context);
    const slots = await usedSlots(context, from);
    const startedMs = context.nowMs();
    for (const slot of slots) await move(context, slot, from, to);
    return `${slots.length} within ${seconds(context.nowMs() - startedMs)}`;
  },
};

/** Keys are away from their owner, and come back. */
export const moveAborted: Fault = {
  ...common,
  kind: 'a slot moved in part, and back',
  run: async (context) => {
    const { random, hold } = context;
    const [from, to] = await twoPrimaries(context);
    const { cluster } = clusterOf(context);
    const migration = new SlotMigration(cluster, await clusterOf(context).usersSlot(), from, to);
    await migration.begin();
    const keys = await moveSome(context, migration);
    await hold(random.integer(0, 1_000));
    await migration.abort();
    return `${keys} keys at the most`;
  },
};

export const killedDuringMove: Fault = {
  ...common,
  kind: 'primary killed while a slot moves',
  run: async (context) => {
    const { random, hold } = context;
    const redis = clusterOf(context);
    const { cluster } = redis;
    const slot = await redis.usersSlot();
    const [from, to] = await twoPrimaries(context);
    const migration = new SlotMigration(cluster, slot, from, to);
    await migration.begin();
    await moveSome(context, migration);
    const isSource = random.chance(0.5);
    const killed = isSource ? from : to;
    const replica = await cluster.replicaOf(killed);
    await killed.kill();
    await cluster.isPrimary(replica);
    await hold(random.integer(0, 1_000));
    await killed.restart({ empty: true });
    const pair = isSource ? ([replica, to] as const) : ([from, replica] as const);
    await new SlotMigration(cluster, slot, ...pair).abort();
    return isSource ? 'from it' : 'to it';
  },
};

export const nodeAdded: Fault = {
  ...common,
  kind: 'node added, given slots, and removed',
  run: async (context) => {
    const { random, hold } = context;
    const redis = clusterOf(context);
    const from = await redis.primary();
    const added = await redis.addNode();
    const slots = await usedSlots(context, from);
    for (const slot of slots) await move(context, slot, from, added);
    const keptMs = random.integer(0, 2_000);
    await hold(keptMs);
    for (const slot of slots) await move(context, slot, added, from);
    await redis.removeNode(added);
    return `with ${slots.length} slots, for ${seconds(keptMs)}`;
  },
};

/** The one with the keys of the users, and another one. */
async function twoPrimaries(context: FaultContext): Promise<readonly [RedisServer, RedisServer]> {
  const redis = clusterOf(context);
  const from = await redis.primary();
  const others = (await redis.cluster.primaries()).filter((server) => server !== from);
  return [from, context.random.pick(others)];
}

/** That of the users, and some with other keys. */
async function usedSlots(context: FaultContext, server: RedisServer): Promise<readonly number[]> {
  const redis = clusterOf(context);
  const keys = await withRedis(server, (client) => client.keys('*'));
  const slots = new Set<number>();
  for (const key of context.random.shuffled(keys).slice(0, OTHER_SLOTS)) {
    slots.add(await redis.cluster.slotOf(key));
  }
  return context.random.shuffled([...slots.add(await redis.usersSlot())]);
}

async function move(
  context: FaultContext,
  slot: number,
  from: RedisServer,
  to: RedisServer,
): Promise<void> {
  const migration = new SlotMigration(clusterOf(context).cluster, slot, from, to);
  await migration.begin();
  await moveSome(context, migration);
  await migration.end();
}

/** Returns the number of keys that have moved at the most. */
async function moveSome({ random, hold }: FaultContext, migration: SlotMigration): Promise<number> {
  let moved = 0;
  for (let steps = random.integer(0, 30); steps > 0; steps -= 1) {
    await hold(random.integer(0, 40));
    if (!(await migration.moveKeys(STEP_KEYS))) break;
    moved += STEP_KEYS;
  }
  return moved;
}
