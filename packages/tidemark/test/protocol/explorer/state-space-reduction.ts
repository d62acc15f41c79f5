/**
 * Foresees where a step leads, without taking it.
 *
 * What a process does when it is told something depends on what it was told before, and on nothing
 * else (fingerprint.ts). So it has to be seen only once, in any world; in every other one it is
 * enough to find out what the process would be told. Most steps lead to moments that were visited
 * before, and need not be taken then.
 *
 * Nothing is foreseen of steps that change anything beside Redis and the process, and nothing of
 * wrong answers. What was foreseen of a step that is taken nevertheless is held against what comes.
 */
import { hash } from 'node:crypto';
import { describeActor, type SystemState } from './fingerprint.js';
import { earliestStateOf, inWords, type Given } from './linearizability.js';
import { RIGHT } from './rules.js';
import { named, numbered } from './tokens.js';
import { step, type Choice, type ProcessStep } from './world/choices.js';
import type { State } from './world/postgres.js';
import { UNHEARD, type Parked } from './world/process.js';
import type { World } from './world/world.js';

/** A step that could be taken: all but how the process would react. */
export interface Successor {
  readonly cause: string;
  readonly tokens: ReadonlyMap<string, string>;
  /** Index of the process. */
  readonly process: number;
  /** The moment after it, but for the process. */
  readonly moment: SystemState;
  readonly states: readonly State[];
}

export interface Foreseen {
  readonly moment: SystemState;
  /** The answers that are given on the way, in words. */
  readonly answers: readonly string[];
}

interface Reaction {
  /** The process afterwards, with numbers in the place of tokens. */
  readonly process: string;
  readonly given: readonly Given<State>[];
}

export class StateSpaceReduction {
  readonly #reactions = new Map<string, Reaction>();

  /** Takes the step, and sees how the process reacts. */
  async take(world: World, choice: Choice): Promise<void> {
    const sent = sentFor(world, choice);
    if (!choice.step || !sent) return step(world, choice);
    const actor = world.actorAt(choice.step.process);
    const before = describeActor(actor);
    const { given } = world.linearizability;
    const givenBefore = given.length;
    await step(world, choice);
    if (world.linearizability.violation !== undefined) return;
    const told = sent.map((parked) => parked.told() ?? UNHEARD);
    const { cause, tokens } = causeOf(world, choice, before, told);
    const after = numbered(describeActor(actor), new Map(tokens));
    if (after.tokens.size > tokens.size) return;
    this.#reactions.set(cause, { process: after.text, given: given.slice(givenBefore) });
  }

  /** `undefined`: nothing will be foreseen of it. */
  async successorOf(
    world: World,
    before: SystemState,
    choice: Choice,
  ): Promise<Successor | undefined> {
    const sent = sentFor(world, choice);
    if (!choice.step || !sent) return undefined;
    const { process } = choice.step;
    const tryOut = async (): Promise<Successor> => {
      const told: string[] = [];
      for (const answer of sent.map((parked) => parked.tryOut())) told.push(await answer);
      const redis = isOfRedis(sent) ? world.redis.describe() : before.redis;
      return {
        ...causeOf(world, choice, before.processes[process] ?? '', told),
        process,
        moment: { ...before, redis },
        states: [...world.postgres.states],
      };
    };
    return isOfRedis(sent) ? world.redis.tryOut(tryOut) : tryOut();
  }

  /** `undefined`: it is not known yet how the process reacts, or it would answer wrongly. */
  foresee({ cause, tokens, process, moment, states }: Successor): Foreseen | undefined {
    const reaction = this.#reactions.get(cause);
    if (!reaction) return undefined;
    const shown = reaction.given.map((given) => earliestStateOf(given, states));
    if (shown.includes(undefined)) return undefined;
    return {
      moment: {
        ...moment,
        floor: Math.max(moment.floor, ...shown.map((state) => state ?? 0)),
        processes: moment.processes.with(process, named(reaction.process, tokens)),
      },
      answers: reaction.given.map((given) => inWords(given, states)),
    };
  }
}

/** What decides how the process reacts. Looking after marks is decided by whether there is need. */
function causeOf(
  world: World,
  { label }: Choice,
  before: string,
  told: readonly string[],
): Pick<Successor, 'cause' | 'tokens'> {
  const all = [label, world.redis.present.needsCare, before, ...told].join('\n\n');
  const { text, tokens } = numbered(all);
  return { cause: hash('sha1', text, 'base64'), tokens };
}

/** What is carried out; `undefined`: that changes more than Redis, or variants may see more. */
function sentFor(world: World, choice: Choice): ReturnType<ProcessStep['sent']> | undefined {
  const { rules, locksFills } = world.configuration;
  if (!choice.step || locksFills || rules.store !== RIGHT.store) return undefined;
  const sent = choice.step.sent(world);
  const isReader = choice.step.process < world.readers.length;
  return isReader || sent.every(({ server }) => server !== 'postgres') ? sent : undefined;
}

function isOfRedis(sent: readonly Parked[]): boolean {
  return sent.some(({ server }) => server === 'redis');
}
