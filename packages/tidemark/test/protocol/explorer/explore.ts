/**
 * Tries every order in which the steps of a configuration can happen.
 *
 * A world cannot be copied, since the core it runs is real code with promises under way. So each
 * run begins from the start, repeats the choices that led to a state, and then takes one that was not
 * taken there yet. A state whose fingerprint was met before is not followed again: its future is the same
 * (fingerprint.ts lists what it covers).
 * Most choices lead to such states, and many of these are predicted and not taken (state-space-reduction.ts).
 */
import type { Configuration } from './configuration.js';
import { fingerprintOf, systemStateOf } from './fingerprint.js';
import { StateSpaceReduction, type Successor } from './state-space-reduction.js';
import { choicesOf, step, type Choice } from './world/choices.js';
import { World } from './world/world.js';

export interface Exploration {
  /** Different states of the world. */
  readonly states: number;
  /** Worlds that were run, each from its start. */
  readonly executions: number;
  /** Every answer that was given in some run, as linearizability.ts puts it. */
  readonly answers: ReadonlySet<string>;
  /** Longest run, in choices. */
  readonly depth: number;
  /** Final states: nothing is left to choose. */
  readonly ends: number;
  /** A run that ends in a wrong answer, one choice a line; `undefined`: there is none. */
  readonly violation: readonly string[] | undefined;
  /** Whether every state was visited. */
  readonly isComplete: boolean;
}

/** A run that may be taken. */
interface Ahead {
  readonly path: readonly Choice[];
  readonly successor: Successor | undefined;
}

export interface ExploreOptions {
  /** Gives up beyond so many states. */
  readonly maxStates?: number;
  /** Whether short runs come first: the run found is then as short as any. */
  readonly breadthFirst?: boolean;
  /** Ends runs after so many choices; only breadth first, where the shortest way comes first. */
  readonly maxChoices?: number;
  /** Called with the progress before each run; returns whether to go on. */
  readonly goesOn?: (progress: { readonly states: number; readonly executions: number }) => boolean;
  /** Continues from states already visited too: the same answers, by far more work. */
  readonly revisits?: boolean;
}

export async function explore(
  configuration: Configuration,
  options: ExploreOptions = {},
): Promise<Exploration> {
  const { maxStates = Infinity, breadthFirst = false, maxChoices = Infinity } = options;
  const visited = new Set<string>();
  const answers = new Set<string>();
  const reduction = options.revisits === true ? undefined : new StateSpaceReduction();
  const open: Ahead[] = [{ path: [], successor: undefined }];
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

  /** The fingerprint of the state that a run leads to, if it can be predicted. */
  function predicted({ successor }: Ahead): string | undefined {
    const outcome = successor && reduction?.predict(successor);
    for (const answer of outcome?.answers ?? []) answers.add(answer);
    return outcome && fingerprintOf(outcome.system);
  }

  const next = queueOf(open, breadthFirst);
  for (let start = next(); start; start = next()) {
    let expected = predicted(start);
    if (expected !== undefined && visited.has(expected)) continue;
    if (options.goesOn?.({ states: visited.size, executions }) === false) {
      return report(undefined, false);
    }
    executions += 1;
    let { path } = start;
    const world = await worldAfter(configuration, path, reduction);
    for (;;) {
      depth = Math.max(depth, path.length);
      const { violation } = world.linearizability;
      for (const answer of world.linearizability.answers) answers.add(answer);
      if (violation !== undefined) return report([...path.map(labelOf), violation], false);
      const state = systemStateOf(world);
      const fingerprint = fingerprintOf(state);
      if ((expected ?? fingerprint) !== fingerprint) {
        throw new Error(`${path.map(labelOf).join('\n')}\nreached another state than predicted.`);
      }
      if (visited.has(fingerprint) && options.revisits !== true) break;
      visited.add(fingerprint);
      if (visited.size > maxStates) return report(undefined, false);
      const choices = choicesOf(world);
      if (choices.length === 0) {
        ends += 1;
        const hanging = world.processes.filter(({ isCrashed, isBusy }) => !isCrashed && isBusy);
        if (hanging.length > 0) {
          return report([...path.map(labelOf), `${hanging[0]?.name} waits for ever`], false);
        }
        break;
      }
      if (path.length >= maxChoices) break;
      depth = Math.max(depth, path.length + 1);
      const ahead: Ahead[] = [];
      for (const choice of choices) {
        const successor = await reduction?.successorOf(world, state, choice);
        ahead.push({ path: [...path, choice], successor });
      }
      if (breadthFirst) {
        open.push(...ahead);
        break;
      }
      let going: Ahead | undefined;
      do {
        going = ahead.shift();
        expected = going && predicted(going);
      } while (expected !== undefined && visited.has(expected));
      const choice = going?.path.at(-1);
      if (!going || !choice) break;
      open.push(...ahead.toReversed());
      ({ path } = going);
      await (reduction ? reduction.take(world, choice) : step(world, choice));
    }
  }
  return report(undefined, true);
}

function queueOf<T>(items: T[], isFirstInFirstOut: boolean): () => T | undefined {
  let taken = 0;
  return () => (isFirstInFirstOut ? items[taken++] : items.pop());
}

/** Runs a new world to where it was when these choices had been made. */
async function worldAfter(
  configuration: Configuration,
  path: readonly Choice[],
  reduction: StateSpaceReduction | undefined,
): Promise<World> {
  // Lets timers and signals through.
  await new Promise<void>((resolve) => setImmediate(resolve));
  const world = new World(configuration);
  await world.rest();
  const last = path.at(-1);
  for (const choice of path.slice(0, -1)) await step(world, choice);
  if (last) await (reduction ? reduction.take(world, last) : step(world, last));
  return world;
}

function labelOf({ label }: Choice): string {
  return label;
}
