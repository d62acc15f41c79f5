/**
 * Tries every order in which the steps of a configuration can happen.
 *
 * A world cannot be copied, since the core it runs is real code with promises under way. So each
 * run begins anew and repeats the choices that led to a moment, and then takes one that was not
 * taken there yet. A moment whose fingerprint was met before is not followed again: what can come
 * after it is the same (fingerprint.ts says what it covers).
 */
import type { Configuration } from './configuration.js';
import { fingerprintOf } from './fingerprint.js';
import { choicesOf, step, type Choice } from './world/choices.js';
import { World } from './world/world.js';

export interface Exploration {
  /** Different moments of the world. */
  readonly states: number;
  /** Worlds that were run, each from its start. */
  readonly executions: number;
  /** Every answer that was given in some run, as linearizability.ts tells it. */
  readonly answers: ReadonlySet<string>;
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
  /** Whether short runs come first: the run found is then as short as any. */
  readonly breadthFirst?: boolean;
  /** Ends runs after so many choices; only breadth first, where the shortest way comes first. */
  readonly mostChoices?: number;
  /** Goes on from moments already visited too: the same answers, by far more work. */
  readonly revisits?: boolean;
}

export async function explore(
  configuration: Configuration,
  options: ExploreOptions = {},
): Promise<Exploration> {
  const { mostStates = Infinity, breadthFirst = false, mostChoices = Infinity } = options;
  const visited = new Set<string>();
  const answers = new Set<string>();
  const open: (readonly Choice[])[] = [[]];
  let [executions, depth, ends] = [0, 0, 0];
  const report = (violation: readonly string[] | undefined, isComplete: boolean): Exploration => ({
    states: visited.size,
    executions,
    answers,
    depth,
    ends,
    violation,
    isComplete,
  });

  const next = queueOf(open, breadthFirst);
  for (let start = next(); start; start = next()) {
    executions += 1;
    const path = [...start];
    const world = await worldAfter(configuration, path);
    for (;;) {
      depth = Math.max(depth, path.length);
      const { violation } = world.linearizability;
      for (const answer of world.linearizability.answers) answers.add(answer);
      if (violation !== undefined) return report([...path.map(labelOf), violation], false);
      const fingerprint = fingerprintOf(world);
      if (visited.has(fingerprint) && options.revisits !== true) break;
      visited.add(fingerprint);
      if (visited.size > mostStates) return report(undefined, false);
      const [first, ...others] = choicesOf(world);
      if (!first) {
        ends += 1;
        const hanging = world.processes.filter(({ isCrashed, isBusy }) => !isCrashed && isBusy);
        if (hanging.length > 0) {
          return report([...path.map(labelOf), `${hanging[0]?.name} waits for ever`], false);
        }
        break;
      }
      if (path.length >= mostChoices) break;
      if (breadthFirst) {
        for (const choice of [first, ...others]) open.push([...path, choice]);
        break;
      }
      for (const other of others.toReversed()) open.push([...path, other]);
      path.push(first);
      await step(world, first);
    }
  }
  return report(undefined, true);
}

function queueOf<T>(items: T[], isFirstInFirstOut: boolean): () => T | undefined {
  let taken = 0;
  return () => (isFirstInFirstOut ? items[taken++] : items.pop());
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
