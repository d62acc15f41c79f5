/** The faults of a world. Each one counts against the number that a run may have. */
import type { Fault } from '../configuration.js';
import { labelIn } from './buckets.js';
import type { Choice } from './choices.js';
import type { WorldTable } from './data-set.js';
import type { Process } from './process.js';
import type { Redis } from './redis.js';
import type { World } from './world.js';

const AWAY = new Error('The store is away.');

const CHOICES: Readonly<Record<Fault, (world: World) => Choice[]>> = {
  'writer crashes': ({ writers }) =>
    writers.flatMap(({ openTransaction, process }, index) =>
      openTransaction && !process.isCrashed
        ? [
            {
              label: `${process.name}: crashes`,
              apply: (world) => world.writerAt(index).process.crash(),
            },
          ]
        : [],
    ),

  'COMMIT unanswered': ({ writers }) =>
    writers.flatMap((writer, index) =>
      writer.unansweredCommit
        ? [
            {
              label: `${writer.process.name}: loses its connection during COMMIT`,
              apply: (world) => world.writerAt(index).cutOff(),
            },
          ]
        : [],
    ),

  'version evicted': ({ faultyServers }) =>
    faultyServers.flatMap(({ bucket, present }) =>
      [...present.allTables].flatMap(([id, table]) =>
        table.evictable().map((name) => ({
          label: `Redis: drops the version ${name} of ${id}`,
          apply: (world: World) => tableAt(world, bucket, id)?.evict(name),
        })),
      ),
    ),

  'marks lost': (world) => losses(world, 'the marks', (table) => table.loseMarks()),

  'all but the epoch lost': (world) =>
    losses(world, 'all but the epoch', (table) => {
      table.loseMarks();
      for (const name of table.evictable()) table.evict(name);
    }),

  'entry evicted': ({ faultyServers }) =>
    faultyServers.flatMap(({ bucket, present }) =>
      [...present.entries.keys()].map((key) => ({
        label: `Redis: drops the entry of ${key}`,
        apply: (world: World) => void world.serverAt(bucket).present.entries.delete(key),
      })),
    ),

  'restart empty': ({ faultyServers }) =>
    faultyServers.map((server) =>
      replacing(server, 'restarts empty', (redis) => redis.restartEmpty()),
    ),

  'restart from snapshot': ({ faultyServers }) =>
    faultyServers
      .filter(({ hasCopy }) => hasCopy)
      .map((server) =>
        replacing(server, 'restarts from the snapshot', (redis) => redis.restartFromCopy()),
      ),

  failover: ({ faultyServers }) =>
    faultyServers.map((server) =>
      replacing(server, 'the replica takes over', (redis) => redis.failOver()),
    ),

  'outage of the writer': (world) =>
    outages(world, 'the writer', (process) => process.startsWith('W')),
  'outage of all': (world) => outages(world, 'all', () => true),
};

export function faultsOf(world: World): Choice[] {
  const free = [...copies(world), ...returns(world)];
  if (world.faultsLeft === 0) return free;
  const costly = world.configuration.faults.flatMap((fault) => CHOICES[fault](world));
  return [...free, ...costly.map(counted)];
}

function losses(
  { faultyServers }: World,
  what: string,
  lose: (table: WorldTable) => void,
): Choice[] {
  return faultyServers.flatMap(({ bucket, present }) =>
    [...present.allTables.keys()].map((id) => ({
      label: `Redis: loses ${what} of ${id}`,
      apply: (world: World) => {
        const table = tableAt(world, bucket, id);
        if (table) lose(table);
      },
    })),
  );
}

function tableAt(world: World, bucket: number, id: string): WorldTable | undefined {
  return world.serverAt(bucket).present.allTables.get(id);
}

function replacing({ bucket, name }: Redis, how: string, replace: (redis: Redis) => void): Choice {
  return { label: `${name}: ${how}`, apply: (world) => world.replaceRedis(bucket, replace) };
}

function counted({ label, apply }: Choice): Choice {
  return {
    label,
    apply: (world) => {
      world.faultsLeft -= 1;
      return apply(world);
    },
  };
}

/** A snapshot is written, or the link to the replica breaks; once before each use. */
function copies({ configuration: { faults }, faultsLeft, faultyServers }: World): Choice[] {
  const isUsed = faults.includes('restart from snapshot') || faults.includes('failover');
  if (!isUsed || faultsLeft === 0) return [];
  const how = faults.includes('failover') ? 'the replica receives no more' : 'writes a snapshot';
  return faultyServers
    .filter(({ hasCopy }) => !hasCopy)
    .map(({ bucket, name }) => ({
      label: `${name}: ${how}`,
      apply: (world) => world.serverAt(bucket).takeCopy(),
    }));
}

function outages(world: World, whose: string, isCut: (process: string) => boolean): Choice[] {
  return world.faultyServers.flatMap(({ bucket }) => outagesOf(bucket, world, whose, isCut));
}

function outagesOf(
  bucket: number,
  world: World,
  whose: string,
  isCut: (process: string) => boolean,
): Choice[] {
  const cut = world.processes.filter((process) => isCut(process.name) && process.reaches(bucket));
  if (cut.length === 0) return [];
  const label = labelIn(bucket, `an outage of ${whose} begins`);
  const beginning = (areCarriedOut: boolean) => (other: World) => {
    for (const process of other.processes)
      if (isCut(process.name)) disconnect(process, bucket, areCarriedOut);
    for (const reader of other.readers)
      if (!reader.process.reaches(bucket)) reader.distrust(bucket);
  };
  if (cut.every(({ parked }) => parked.every(({ server }) => server !== bucket))) {
    return [{ label, apply: beginning(false) }];
  }
  return [
    { label: `${label}, what was sent is lost`, apply: beginning(false) },
    { label: `${label}, what was sent arrives`, apply: beginning(true) },
  ];
}

function disconnect(process: Process, bucket: number, areCarriedOut: boolean): void {
  process.away.add(bucket);
  for (const parked of process.parked.filter(({ server }) => server === bucket)) {
    parked.abandon(AWAY);
    if (areCarriedOut) parked.carryOut();
    else parked.drop();
  }
}

/** An outage ends for all at once. */
function returns({ processes }: World): Choice[] {
  if (processes.every(({ away }) => away.size === 0)) return [];
  return [
    {
      label: 'the outage ends',
      apply: (world) => {
        for (const { away } of world.processes) away.clear();
      },
    },
  ];
}
