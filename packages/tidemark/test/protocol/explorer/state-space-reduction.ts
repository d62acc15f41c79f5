/**
 * Predicts the state that a step leads to, without taking the step.
 *
 * The reaction of a process to an answer depends on the answers that it received before, and on nothing else
 * (fingerprint.ts). So each reaction is observed once, in any world; in every other world the answer alone is
 * computed. Most steps lead to states that were visited before, and need not be taken.
 *
 * Steps that change anything beside Redis and the process are not predicted, nor are wrong answers. If a predicted
 * step is taken nevertheless, its prediction is compared with the state that it reached.
 */
import { hash } from 'node:crypto';
import { describeActor, describeRedis, type SystemState } from './fingerprint.js';
import { earliestStateOf, inWords, type Given } from './linearizability.js';
import { RIGHT } from './rules.js';
import { named, numbered } from './tokens.js';
import { step, type Choice, type ProcessStep } from './world/choices.js';
import type { State } from './world/postgres.js';
import { IGNORED, type Parked } from './world/process.js';
import type { World } from './world/world.js';

/** A step that could be taken: all but how the process would react. */
export interface Successor {
  readonly cause: string;
  readonly tokens: ReadonlyMap<string, string>;
  /** Index of the process. */
  readonly process: number;
  /** The system after it, but for the process. */
  readonly system: SystemState;
  readonly states: readonly State[];
}

export interface Prediction {
  readonly system: SystemState;
  /** The answers that readers give on the way, in words. */
  readonly answers: readonly string[];
}

interface Reaction {
  /** The process afterwards, with numbers in the place of tokens. */
  readonly process: string;
  readonly given: readonly Given<State>[];
}

export class StateSpaceReduction {
  readonly #reactions = new Map<string, Reaction>();

  /** Takes the step, and records how the process reacts. */
  async take(world: World, choice: Choice): Promise<void> {
    const sent = sentFor(world, choice);
    if (!choice.step || !sent) return step(world, choice);
    const actor = world.actorAt(choice.step.process);
    const before = describeActor(actor);
    const { given } = world.linearizability;
    const givenBefore = given.length;
    await step(world, choice);
    if (world.linearizability.violation !== undefined) return;
    const received = sent.map((parked) => parked.received() ?? IGNORED);
    const { cause, tokens } = causeOf(world, choice, before, received);
    const after = numbered(describeActor(actor), new Map(tokens));
    if (after.tokens.size > tokens.size) return;
    this.#reactions.set(cause, { process: after.text, given: given.slice(givenBefore) });
  }

  /** `undefined`: the step is not predicted. */
  async successorOf(
    world: World,
    before: SystemState,
    choice: Choice,
  ): Promise<Successor | undefined> {
    const sent = sentFor(world, choice);
    if (!choice.step || !sent) return undefined;
    const { process } = choice.step;
    const bucket = bucketOf(sent);
    const tryOut = async (): Promise<Successor> => {
      const received: string[] = [];
      for (const answer of sent.map((parked) => parked.tryOut())) received.push(await answer);
      const redis = bucket === undefined ? before.redis : describeRedis(world);
      return {
        ...causeOf(world, choice, before.processes[process] ?? '', received),
        process,
        system: { ...before, redis },
        states: [...world.postgres.states],
      };
    };
    return bucket === undefined ? tryOut() : world.serverAt(bucket).tryOut(tryOut);
  }

  /** `undefined`: it is not known yet how the process reacts, or it would answer wrongly. */
  predict({ cause, tokens, process, system, states }: Successor): Prediction | undefined {
    const reaction = this.#reactions.get(cause);
    if (!reaction) return undefined;
    const shown = reaction.given.map((given) => earliestStateOf(given, states));
    if (shown.includes(undefined)) return undefined;
    return {
      system: {
        ...system,
        floor: Math.max(system.floor, ...shown.map((state) => state ?? 0)),
        processes: system.processes.with(process, named(reaction.process, tokens)),
      },
      answers: reaction.given.map((given) => inWords(given, states)),
    };
  }
}

/** Everything that decides the reaction of the process. Whether it looks after marks depends on the need alone. */
function causeOf(
  world: World,
  { label }: Choice,
  before: string,
  received: readonly string[],
): Pick<Successor, 'cause' | 'tokens'> {
  const all = [label, world.needsCare, before, ...received].join('\n\n');
  const { text, tokens } = numbered(all);
  return { cause: hash('sha1', text, 'base64'), tokens };
}

/** The calls that the step carries out; `undefined`: they change more than Redis, or variants may see more. */
function sentFor(world: World, choice: Choice): ReturnType<ProcessStep['sent']> | undefined {
  const { rules, locksFills } = world.configuration;
  if (!choice.step || locksFills || rules.store !== RIGHT.store) return undefined;
  const sent = choice.step.sent(world);
  const isReader = choice.step.process < world.readers.length;
  return isReader || sent.every(({ server }) => server !== 'postgres') ? sent : undefined;
}

/** The bucket whose server carries out the calls; `undefined`: they are no commands to Redis. */
function bucketOf([first]: readonly Parked[]): number | undefined {
  return typeof first?.server === 'number' ? first.server : undefined;
}
