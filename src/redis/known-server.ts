import type { ServerFacts } from './server-facts.js';

/** What the server behind the present connection has told of itself. */
export class KnownServer {
  #facts: ServerFacts | undefined;
  #evictionPolicy: string | undefined;
  #askedAtMs = -Infinity;

  /** `undefined` until it has told. */
  get facts(): ServerFacts | undefined {
    return this.#facts;
  }

  /** `maxmemory-policy` of the last server that told. */
  get evictionPolicy(): string | undefined {
    return this.#evictionPolicy;
  }

  /** Whether it has to be asked again, `intervalMs` after the last answer. */
  isDue(intervalMs: number): boolean {
    return performance.now() - this.#askedAtMs > intervalMs;
  }

  learn(facts: ServerFacts): void {
    this.#facts = facts;
    this.#evictionPolicy = facts.evictionPolicy;
    this.#askedAtMs = performance.now();
  }

  /** The connection may lead to another server by now, or to one with another role. */
  forget(): void {
    this.#facts = undefined;
  }
}
