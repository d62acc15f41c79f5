/** The faults of a world. Each one counts against the number that a run may have. */
import type { Fault } from '../configuration.js';
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

  'version evicted': ({ redis }) =>
    [...redis.present.allTables].flatMap(([id, table]) =>
      table.evictable().map((name) => ({
        label: `Redis: drops the version ${name}`,
        apply: (world) => world.redis.present.allTables.get(id)?.evict(name),
      })),
    ),

  'marks lost': (world) => losses(world, 'the marks', (table) => table.loseMarks()),

  'all but the epoch lost': (world) =>
    losses(world, 'all but the epoch', (table) => {
      table.loseMarks();
      for (const name of table.evictable()) table.evict(name);
    }),

  'entry evicted': ({ redis }) =>
    [...redis.present.entries.keys()].map((key) => ({
      label: `Redis: drops the entry of ${key}`,
      apply: (world) => void world.redis.present.entries.delete(key),
    })),

  'restart empty': () => [
    { label: 'Redis: restarts empty', apply: replacing((redis) => redis.restartEmpty()) },
  ],

  'restart from snapshot': ({ redis }) =>
    redis.hasCopy
      ? [
          {
            label: 'Redis: restarts from the snapshot',
            apply: replacing((other) => other.restartFromCopy()),
          },
        ]
      : [],

  failover: () => [
    { label: 'Redis: the replica takes over', apply: replacing((redis) => redis.failOver()) },
  ],

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

function losses({ redis }: World, what: string, lose: (table: WorldTable) => void): Choice[] {
  return [...redis.present.allTables.keys()].map((id) => ({
    label: `Redis: loses ${what} of ${id}`,
    apply: (world) => {
      const table = world.redis.present.allTables.get(id);
      if (table) lose(table);
    },
  }));
}

function replacing(replace: (redis: Redis) => void): Choice['apply'] {
  return (world) => world.replaceRedis(replace);
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
function copies({ configuration: { faults }, faultsLeft, redis }: World): Choice[] {
  const isUsed = faults.includes('restart from snapshot') || faults.includes('failover');
  if (!isUsed || faultsLeft === 0 || redis.hasCopy) return [];
  const label = faults.includes('failover')
    ? 'Redis: the replica receives no more'
    : 'Redis: writes a snapshot';
  return [{ label, apply: (world) => world.redis.takeCopy() }];
}

function outages(world: World, whose: string, isCut: (process: string) => boolean): Choice[] {
  const cut = world.processes.filter(({ name, isConnected }) => isCut(name) && isConnected);
  if (cut.length === 0) return [];
  const label = `an outage of ${whose} begins`;
  const beginning = (areCarriedOut: boolean) => (other: World) => {
    for (const process of other.processes)
      if (isCut(process.name)) disconnect(process, areCarriedOut);
    for (const { process, distrustAll } of other.readers) if (!process.isConnected) distrustAll();
  };
  if (cut.every((process) => process.nextCommands().length === 0)) {
    return [{ label, apply: beginning(false) }];
  }
  return [
    { label: `${label}, what was sent is lost`, apply: beginning(false) },
    { label: `${label}, what was sent arrives`, apply: beginning(true) },
  ];
}

function disconnect(process: Process, areCarriedOut: boolean): void {
  process.isConnected = false;
  for (const parked of process.parked.filter(({ server }) => server === 'redis')) {
    parked.abandon(AWAY);
    if (areCarriedOut) parked.carryOut();
    else parked.drop();
  }
}

/** An outage ends for all at once. */
function returns({ processes }: World): Choice[] {
  if (processes.every(({ isConnected }) => isConnected)) return [];
  return [
    {
      label: 'the outage ends',
      apply: (world) => {
        for (const process of world.processes) process.isConnected = true;
      },
    },
  ];
}
