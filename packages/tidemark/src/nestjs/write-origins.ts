import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/** Names the code that writes, such as a route or a job, for the events of writes. */
@Injectable()
export class WriteOrigins {
  readonly #storage = new AsyncLocalStorage<string | (() => string)>();
  /** How much named work runs now. */
  #running = 0;

  /** The name of the work that runs now; `undefined`: none was given. */
  get current(): string | undefined {
    const name = this.#storage.getStore();
    return typeof name === 'function' ? name() : name;
  }

  /**
   * Runs the work under a name, such as `nightly import`: events of its writes have it as their `origin`. The name
   * holds until the work returns or its promise settles; code that runs on afterwards may lose it. Do not put personal
   * data into the name. A function is asked for the name at each write.
   */
  run<T>(name: string | (() => string), work: () => T): T {
    this.#running += 1;
    let isAsync = false;
    try {
      const result = this.#storage.run(name, work);
      if (!(result instanceof Promise)) return result;
      isAsync = true;
      return result.finally(() => this.#ended()) as T;
    } finally {
      if (!isAsync) this.#ended();
    }
  }

  #ended(): void {
    this.#running -= 1;
    // In Node 20, a storage in use slows every promise of the process, also those of hits.
    if (this.#running === 0) this.#storage.disable();
  }
}
