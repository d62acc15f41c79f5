/**
 * Explores in a thread of plain Node. In the contexts in which jest runs a test every use of a
 * global such as `Map` or `Promise` is slow, which doubles the time an exploration takes.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Exploration, ExploreOptions } from './explore.js';

type Reply = { readonly found: Exploration } | { readonly failure: Error };

export class ExplorerThread {
  readonly #worker = new Worker(new URL('./explorer-thread.worker.mjs', import.meta.url));

  /** One after the other. @param name of a configuration in named-configurations.ts. */
  async explore(name: string, options: ExploreOptions = {}): Promise<Exploration> {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage({ name, options });
    const [reply] = (await once(this.#worker, 'message')) as [Reply];
    if ('failure' in reply) throw reply.failure;
    return reply.found;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
