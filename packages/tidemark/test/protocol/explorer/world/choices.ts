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
 * happened before. Starting later only narrows what may be answered. Of commands to two buckets either may come first.
 */
async function startAndSend(world: World, process: Process, start: () => void): Promise<void> {
  const before = new Set(process.parked);
  start();
  await world.rest();
  const [batch, ...others] = batchesOf(world, process);
  if (others.length > 0) return;
  const first = batch ?? process.parked.slice(-1);
  if (first.every((parked) => !before.has(parked) && parked.isReady())) carryOut(first);
}

function stepsOf(world: World, process: Process, index: number): Choice[] {
  const choices = batchesOf(world, process).map((batch) => {
    const server = batch[0]?.server;
    const sent = (other: World): readonly Parked[] =>
      batchesOf(other, other.processAt(index)).find(([first]) => first?.server === server) ?? [];
    return stepOf(process, index, batch, sent);
  });
  for (const parked of process.parked) {
    if (typeof parked.server === 'number' || !parked.isReady()) continue;
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

/** The commands that each bucket carries out next: those of one turn travel together. */
function batchesOf(world: World, process: Process): readonly (readonly Parked[])[] {
  const batches = process.nextCommands();
  return world.configuration.takesTurnsApart ? batches.map((batch) => batch.slice(0, 1)) : batches;
}

function carryOut(group: readonly Parked[]): void {
  for (const parked of group) parked.carryOut();
}

function leasesOf({ servers, fillLock }: World): Choice[] {
  const marks = servers.flatMap(({ bucket, present }) =>
    [...present.allTables].flatMap(([id, table]) =>
      table.runningLeases().map((writeId) => ({
        label: `Redis: the lease of mark ${writeId} of ${id} runs out`,
        apply: (world: World) => world.serverAt(bucket).present.allTables.get(id)?.expire(writeId),
      })),
    ),
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
