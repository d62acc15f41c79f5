/** The possible next steps: a process continues, or a fault happens to it. */
import { faultsOf } from './faults.js';
import type { Parked, Process } from './process.js';
import type { World } from './world.js';

/** Something that may happen in every world with the same past. */
export interface Choice {
  /** For traces, such as `W1: begin`. Unique among the choices of one state. */
  readonly label: string;
  readonly apply: (world: World) => void | Promise<void>;
  /** Present if the step only carries out calls of one process. */
  readonly step?: ProcessStep;
}

export interface ProcessStep {
  /** Index of the process. */
  readonly process: number;
  /** The calls that it has sent. */
  readonly sent: (world: World) => readonly Parked[];
}

/** In an order that is the same for every world with the same past. */
export function choicesOf(world: World): readonly Choice[] {
  const choices: Choice[] = [];
  world.writers.forEach((writer, index) => {
    if (writer.isIdle) choices.push(startOfWriter(writer.process.name, index));
  });
  world.processes.forEach((process, index) => choices.push(...stepsOf(world, process, index)));
  if (world.readsLeft > 0) choices.push(...startsOfReaders(world));
  if (world.configuration.leasesRunOut) choices.push(...leasesOf(world));
  choices.push(...endsOfBackends(world), ...faultsOf(world));
  return choices;
}

/** Lets the choice happen and everything that follows from it alone. */
export async function step(world: World, { apply }: Choice): Promise<void> {
  const following = apply(world);
  if (following) await following;
  await world.rest();
}

function startsOfReaders({ readers, configuration }: World): Choice[] {
  return readers.flatMap((reader, index) =>
    reader.isIdle
      ? configuration.queries.map((query) => ({
          label: `${reader.process.name}: reads ${query.name}`,
          apply: (world) => {
            world.readsLeft -= 1;
            const reading = world.readerAt(index);
            return startAndSend(world, reading.process, () => reading.start(query));
          },
        }))
      : [],
  );
}

function startOfWriter(name: string, index: number): Choice {
  return {
    label: `${name}: starts`,
    apply: (world) => {
      const writer = world.writerAt(index);
      return startAndSend(world, writer.process, () => writer.start());
    },
  };
}

/**
 * A start and the first thing sent are one step: what happens between them could as well have
 * happened before. Starting later only narrows what may be answered.
 */
async function startAndSend(world: World, process: Process, start: () => void): Promise<void> {
  const before = new Set(process.parked);
  start();
  await world.rest();
  const commands = batchOf(world, process);
  const first = commands.length > 0 ? commands : process.parked.slice(-1);
  if (first.every((parked) => !before.has(parked) && parked.isReady())) carryOut(first);
}

function stepsOf(world: World, process: Process, index: number): Choice[] {
  const choices: Choice[] = [];
  const commands = batchOf(world, process);
  if (commands.length > 0) {
    const sent = (other: World): readonly Parked[] => batchOf(other, other.processAt(index));
    choices.push(stepOf(process, index, commands, sent));
  }
  for (const parked of process.parked) {
    if (parked.server === 'redis' || !parked.isReady()) continue;
    const sent = (other: World): readonly Parked[] => [other.processAt(index).find(parked.label)];
    choices.push(stepOf(process, index, [parked], sent));
  }
  return choices;
}

function stepOf(
  { name }: Process,
  process: number,
  group: readonly Parked[],
  sent: ProcessStep['sent'],
): Choice {
  return {
    label: `${name}: ${group.map(({ label }) => label).join(', ')}`,
    apply: (world) => carryOut(sent(world)),
    step: { process, sent },
  };
}

/** The commands that are carried out next: those of one turn travel together. */
function batchOf(world: World, process: Process): readonly Parked[] {
  const commands = process.nextCommands();
  return world.configuration.takesTurnsApart ? commands.slice(0, 1) : commands;
}

function carryOut(group: readonly Parked[]): void {
  for (const parked of group) parked.carryOut();
}

function leasesOf({ redis, fillLock }: World): Choice[] {
  const marks = [...redis.present.allTables].flatMap(([id, table]) =>
    table.runningLeases().map((writeId) => ({
      label: `Redis: the lease of mark ${writeId} runs out`,
      apply: (world: World) => world.redis.present.allTables.get(id)?.expire(writeId),
    })),
  );
  const locks = [...fillLock.owners.keys()].map((name) => ({
    label: 'Redis: the lease of the lock on fills runs out',
    apply: (world: World) => world.fillLock.expire(name),
  }));
  return [...marks, ...locks];
}

/** A backend whose client is gone ends its transaction, unless the COMMIT had arrived. */
function endsOfBackends({ writers }: World): Choice[] {
  return writers.flatMap((writer, index) =>
    writer.openTransaction && writer.isCutOff
      ? [
          {
            label: `PostgreSQL: ends the transaction of ${writer.process.name}`,
            apply: (world) => world.abort(world.writerAt(index)),
          },
        ]
      : [],
  );
}
