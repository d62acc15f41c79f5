/**
 * Targets that a write is changing or has just changed, to be read once by every instance. Random reads would seldom
 * meet the time around a commit.
 */
import type { Target } from './checker.js';

const LIMIT = 200;

export class HotTargets {
  readonly #queues: Target[][];

  constructor(instances: number) {
    this.#queues = Array.from({ length: instances }, () => []);
  }

  add(targets: readonly Target[]): void {
    for (const queue of this.#queues) {
      queue.push(...targets);
      if (queue.length > LIMIT) queue.splice(0, queue.length - LIMIT);
    }
  }

  take(instance: number): Target | undefined {
    return this.#queues[instance]?.shift();
  }
}
