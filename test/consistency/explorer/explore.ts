/** Essay to come. */
import type { Configuration } from './configuration.js';
import { fingerprintOf } from './fingerprint.js';
import { choicesOf, step, type Choice } from './world/choices.js';
import { World } from './world/world.js';

export interface Exploration {
  /** Different moments of the world. */
  readonly states: number;
  /** Worlds that were run, each from its start. */
  readonly executions: number;
  /** Longest run, in choices. */
  readonly depth: number;
  /** Ends: moments at which nothing is left to choose. */
  readonly ends: number;
  /** A run that ends in a wrong answer, one choice a line; `undefined`: there is none. */
  readonly violation: readonly string[] | undefined;
  /** Whether every moment was visited. */
  readonly isComplete: boolean;
}

export interface ExploreOptions {
  /** Gives up beyond so many states. */
  readonly mostStates?: number;
  /** Goes on from moments already visited too: the same answers, by far more work. */
  readonly revisits?: boolean;
}

export async function explore(
  configuration: Configuration,
  { mostStates = Infinity, revisits = false }: ExploreOptions = {},
): Promise<Exploration> {
  const visited = new Set<string>();
  const open: (readonly Choice[])[] = [[]];
  let [executions, depth, ends] = [0, 0, 0];
  const report = (violation: readonly string[] | undefined, isComplete: boolean): Exploration => ({
    states: visited.size,
    executions,
    depth,
    ends,
    violation,
    isComplete,
  });

  for (let start = open.pop(); start; start = open.pop()) {
    executions += 1;
    const path = [...start];
    const world = await worldAfter(configuration, path);
    for (;;) {
      const { violation } = world.linearizability;
      if (violation !== undefined) return report([...path.map(labelOf), violation], false);
      const fingerprint = fingerprintOf(world);
      if (visited.has(fingerprint) && !revisits) break;
      visited.add(fingerprint);
      if (visited.size > mostStates) return report(undefined, false);
      const [first, ...others] = choicesOf(world);
      if (!first) {
        ends += 1;
        break;
      }
      for (const other of others.toReversed()) open.push([...path, other]);
      path.push(first);
      await step(world, first);
      depth = Math.max(depth, path.length);
    }
  }
  return report(undefined, true);
}

/** Runs a new world to where it was when these choices had been made. */
async function worldAfter(configuration: Configuration, path: readonly Choice[]): Promise<World> {
  const world = new World(configuration);
  await world.rest();
  for (const choice of path) await step(world, choice);
  return world;
}

function labelOf({ label }: Choice): string {
  return label;
}
