/** Slots of a Redis Cluster that are moved, completely or not, under reads and writes. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { RedisKeys } from '../../src/redis/redis-keys.js';
import { bucketOf, slotOf, tagOfBucket } from '../../src/redis/cluster/slots.js';
import {
  ClusterInstance,
  connectionsTo,
  errorsOf,
  isAsked,
  ofBuckets,
  slotOfTable,
} from './cluster-harness.js';
import { Register } from './cluster-model.js';
import { freshNamespace } from './redis-harness.js';

const [TABLE = ''] = ofBuckets;
const SLOT = slotOfTable(TABLE);
const LONG_MS = 600_000;
const MIGRATE_LIMIT_MS = '5000';

let cluster: RedisClusterServers;
let namespace: string;
let keys: RedisKeys;
let writer: ClusterInstance;
let reader: ClusterInstance;
/** The owner of the slot, and the node that it moves to. */
let from: RedisServer;
let to: RedisServer;

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ replicas: 0 });
});

afterAll(() => cluster.stop());

beforeEach(async () => {
  namespace = freshNamespace();
  keys = new RedisKeys(namespace, 'db', tagOfBucket(bucketOf(TABLE)));
  writer = await ClusterInstance.up(cluster, { namespace });
  reader = await ClusterInstance.up(cluster, { namespace });
  from = await cluster.primaryOf(SLOT);
  to = (await cluster.primaries()).find((server) => server !== from) as RedisServer;
});

afterEach(async () => {
  await Promise.all([writer.close(), reader.close()]);
  // What a test has left half done.
  await setSlot(to, 'IMPORTING', await cluster.idOf(from));
  await giveUp();
});

const setSlot = (server: RedisServer, ...words: string[]) =>
  cluster.command(server, 'CLUSTER', 'SETSLOT', String(SLOT), ...words);

const keysOn = async (server: RedisServer): Promise<string[]> =>
  (await cluster.command(server, 'CLUSTER', 'GETKEYSINSLOT', String(SLOT), '1000')) as string[];

async function openSlot(): Promise<void> {
  await setSlot(to, 'IMPORTING', await cluster.idOf(from));
  await setSlot(from, 'MIGRATING', await cluster.idOf(to));
}

/** The slot is given up: its owner has it for itself again, and the keys come back afterwards. */
async function giveUp(): Promise<void> {
  await setSlot(from, 'STABLE');
  const moved = await keysOn(to);
  if (moved.length > 0) await move(to, from, ...moved);
  await setSlot(to, 'STABLE');
}

async function complete(): Promise<void> {
  const left = await keysOn(from);
  if (left.length > 0) await move(from, to, ...left);
  const id = await cluster.idOf(to);
  for (const server of [to, from]) await setSlot(server, 'NODE', id);
}

async function move(one: RedisServer, other: RedisServer, ...names: string[]): Promise<void> {
  const target = ['127.0.0.1', String(other.port), '', '0', MIGRATE_LIMIT_MS];
  await cluster.command(one, 'MIGRATE', ...target, 'REPLACE', 'KEYS', ...names);
}

async function copy(name: string): Promise<void> {
  const target = ['127.0.0.1', String(to.port), name, '0', MIGRATE_LIMIT_MS];
  await cluster.command(from, 'MIGRATE', ...target, 'COPY');
}

const begin = (instance: ClusterInstance, name = 'id=1') =>
  instance.versions.begin(
    { writeId: 'w1', backendPid: 1, tables: [{ table: TABLE, names: ['*', name] }] },
    'new',
    LONG_MS,
  );

const knowsOfTheMove = (instance: ClusterInstance) =>
  eventually(() => expect(instance.stores.degradation()).toMatch(/being moved/));

/** Whether the server holds the key, whatever the state of its slot. */
const holds = async (server: RedisServer, name: string): Promise<boolean> =>
  (await keysOn(server)).includes(name);

describe('a write to a table whose slot is being moved', () => {
  const version = () => keys.version(TABLE, 'id=1');
  const [epoch, marks] = [() => keys.epoch(TABLE), () => keys.ofScript(TABLE)[1] ?? ''];

  it.each<[string, (() => string)[]]>([
    ['the written version', [version]],
    ['the epoch', [epoch]],
    ['the marks', [marks]],
    ['epoch and marks', [epoch, marks]],
    ['epoch, marks and version', [epoch, marks, version]],
    ['nothing', []],
  ])('is not missed where %s had moved, and the move is given up afterwards', async (_, moved) => {
    await writer.settle(TABLE, 'e1');
    await writer.versions.create({ table: TABLE, names: ['*', 'id=1', 'id=2'] }, 'old');
    const before = await reader.readOne(TABLE, 'id=1');
    expect(before).toMatchObject({ versions: ['old'] });
    await openSlot();
    if (moved.length > 0) await move(from, to, ...moved.map((name) => name()));
    const refused = await errorsOf(cluster, from, 'ASK');
    await begin(writer);
    // The epoch was looked for in the other node too.
    if (moved.length > 0) expect(await errorsOf(cluster, from, 'ASK')).toBeGreaterThan(refused);
    await giveUp();
    // As a reader sees the data that does not know of the move.
    const raw = await cluster.command(from, 'MGET', epoch(), version());
    expect(raw).not.toEqual([before?.epoch, 'e1.old']);
    await reader.isUp();
    expect(await reader.readOne(TABLE, 'id=1')).not.toMatchObject({
      epoch: before?.epoch,
      versions: ['old'],
    });
  });

  it('deletes both copies of the epoch that a move which was cut off has left', async () => {
    await writer.settle(TABLE, 'e1');
    await openSlot();
    await move(from, to, marks());
    await copy(epoch());
    await begin(writer);
    expect([await holds(from, epoch()), await holds(to, epoch())]).toEqual([false, false]);
  });

  it('is possible without an epoch, and after the move is known', async () => {
    await openSlot();
    await begin(writer);
    await Promise.all([writer, reader].map(knowsOfTheMove));
    await begin(writer);
    await begin(reader);
    await expect(reader.readOne(TABLE)).rejects.toThrow(/being moved/);
  });

  it('deletes the epoch in the other node over the connection by its address in a map', async () => {
    const natMap = (address: string) => ({
      host: 'localhost',
      port: Number(address.split(':')[1]),
    });
    const mapped = await ClusterInstance.up(cluster, { namespace, target: { natMap } });
    try {
      await mapped.settle(TABLE, 'e1');
      const before = await connectionsTo(cluster, to, namespace);
      await openSlot();
      await move(from, to, epoch());
      await begin(mapped);
      expect([await holds(from, epoch()), await holds(to, epoch())]).toEqual([false, false]);
      expect(await connectionsTo(cluster, to, namespace)).toBe(before);
    } finally {
      await mapped.close();
    }
  });

  it('goes to the new owner when the move has just been completed', async () => {
    await openSlot();
    await complete();
    await begin(writer);
    await writer.isUp();
    expect((await writer.readOne(TABLE))?.node).toBeDefined();
    [from, to] = [to, from];
  });
});

describe('a slot that is moved', () => {
  it('is an outage of its bucket alone, and everything is read again afterwards', async () => {
    await openSlot();
    await knowsOfTheMove(reader);
    expect(reader.stores.degradation()).toBe(
      `Redis Cluster: the slot ${SLOT} is being moved: reads of its tables go to the database meanwhile`,
    );
    await complete();
    await eventually(() => expect(reader.stores.degradation()).toBeUndefined());
    await reader.isUp();
    const bucket = bucketOf(TABLE);
    expect(reader.outages.map((count, index) => index === bucket || count)).toEqual(
      reader.outages.map((_, index) => (index === bucket ? true : 0)),
    );
    expect(reader.outages[bucket]).toBeGreaterThan(0);
    expect(reader.log.lines).toEqual([]);
    [from, to] = [to, from];
  });

  it('is an outage until both nodes have closed it, also where the other one had no slots', async () => {
    const register = new Register(TABLE);
    register.join(writer);
    register.join(reader);
    const instances = [writer, reader];
    for (const instance of instances) await register.isCached(instance);
    to = await cluster.addNode();
    await openSlot();
    // Without the numbers by which an instance notices older data.
    const isVersion = (name: string) => name.includes(`:${TABLE}:`) || name.includes(':#schema/');
    const moved = (await keysOn(from)).filter(isVersion);
    await move(from, to, ...moved);
    await Promise.all(instances.map(knowsOfTheMove));
    await setSlot(from, 'STABLE');
    // Each instance has asked again.
    await isAsked(cluster, from, 4);
    for (const { stores } of instances) expect(stores.degradation()).toMatch(/being moved/);
    await register.write(writer);
    await move(to, from, ...moved);
    await setSlot(to, 'STABLE');
    for (const instance of instances) await register.isCached(instance);
  });

  it('counts an outage also where the owner changes without a command in between', async () => {
    const bucket = bucketOf(TABLE);
    const before = writer.outages[bucket] ?? 0;
    await cluster.migrateSlot(SLOT, from, to);
    await eventually(() => expect(writer.outages[bucket]).toBeGreaterThan(before));
    await writer.isUp();
    [from, to] = [to, from];
  });

  it('refuses no entry to a reader: those of the slot count as missing', async () => {
    // The key of an entry in the slot.
    let number = 0;
    while (slotOf(keys.entry(`key-${number}`)) !== SLOT) number += 1;
    const key = `key-${number}`;
    await openSlot();
    expect(await reader.stores.entries.get(key)).toBeUndefined();
    await complete();
    expect(await reader.stores.entries.get(key)).toBeUndefined();
    await eventually(async () => {
      expect(await reader.stores.fillLock.acquire(key, 'a', LONG_MS)).toBe(true);
    });
    [from, to] = [to, from];
  });

  it.each([
    ['there and back, in the order of its keys', (names: string[]) => names],
    ['there and back, from its last key', (names: string[]) => names.toReversed()],
    ['there, given up again and again', (names: string[]) => names],
  ])('%s, misses no write at any step', async (way, inOrder) => {
    const register = new Register(TABLE);
    register.join(writer);
    register.join(reader);
    await register.isCached(reader);
    const before = await asked();
    for (let turn = 0; turn < 4; turn += 1) {
      await openSlot();
      const names = inOrder((await keysOn(from)).toSorted());
      const moved = way.includes('given up') ? names.slice(0, 1 + (turn % names.length)) : names;
      for (const name of moved) {
        await move(from, to, name);
        await register.read(reader);
        await register.write(writer);
        await register.read(writer);
        await register.read(reader);
      }
      if (way.includes('given up')) {
        await setSlot(from, 'STABLE');
        for (const name of await keysOn(to)) {
          await move(to, from, name);
          await register.write(writer);
          await register.read(reader);
        }
        await setSlot(to, 'STABLE');
      } else {
        await complete();
        [from, to] = [to, from];
      }
      await register.write(writer);
      await register.read(reader);
      await Promise.all([writer, reader].map((instance) => register.isCached(instance)));
    }
    expect(await asked()).toBeGreaterThan(before);
  });

  async function asked(): Promise<number> {
    const [one = 0, other = 0] = await Promise.all(
      [from, to].map((server) => errorsOf(cluster, server, 'ASK')),
    );
    return one + other;
  }
});
