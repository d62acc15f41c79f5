/** Makes a trace short enough to be read. */
import type { Configuration } from './configuration.js';
import { choicesOf, step } from './world/choices.js';
import { World } from './world/world.js';

/**
 * Leaves out choice after choice for as long as what is left still ends in a wrong answer. A choice
 * that cannot be made any more is passed over; tokens in a label may have come to be others.
 */
export async function shortest(
  configuration: Configuration,
  trace: readonly string[],
): Promise<readonly string[]> {
  let best = trace.slice(0, -1);
  let ending = trace.slice(-1);
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    for (let left = best.length - 1; left >= 0; left -= 1) {
      const shorter = await replay(configuration, best.toSpliced(left, 1));
      if (!shorter || shorter.length - 1 >= best.length) continue;
      best = shorter.slice(0, -1);
      ending = shorter.slice(-1);
      hasShrunk = true;
    }
  }
  return [...best, ...ending];
}

/** The choices that could be made, and the wrong answer; `undefined` where there is none. */
async function replay(
  configuration: Configuration,
  labels: readonly string[],
): Promise<readonly string[] | undefined> {
  const world = new World(configuration);
  await world.rest();
  const made: string[] = [];
  for (const label of labels) {
    const choice = choicesOf(world).find((other) => nameless(other.label) === nameless(label));
    if (!choice) continue;
    await step(world, choice);
    made.push(choice.label);
    const { violation } = world.linearizability;
    if (violation !== undefined) return [...made, violation];
  }
  return undefined;
}

function nameless(label: string): string {
  return label.replaceAll(/\u03C4\d+/g, '');
}
