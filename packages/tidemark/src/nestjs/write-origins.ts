import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/** Names the code that writes, such as a route or a job, for the events of writes. */
@Injectable()
export class WriteOrigins {
  readonly #storage = new AsyncLocalStorage<string>();

  /** The name of the work that runs now; `undefined`: none was given. */
  get current(): string | undefined {
    return this.#storage.getStore();
  }

  /**
   * Runs the work under a name, such as `nightly import`: events of its writes have it as their `origin`. Do not put
   * personal data into the name.
   */
  run<T>(name: string, work: () => T): T {
    return this.#storage.run(name, work);
  }
}
