import { Logger } from '@nestjs/common';
import type { CacheLifecycle, WriteFollowing } from '../query-cache/index.js';
import type { WriteProtocol } from './core/write-protocol.js';
import type { OutboxRelay } from './outbox/outbox-relay.js';
import type { TriggerKeeper } from './outbox/trigger-keeper.js';
import type { WriteFollower } from './write-follower.js';

/** Starts the parts of the write side in their order, and stops them with the application. */
export class InvalidationStart {
  readonly #log = new Logger('CacheInvalidation');

  constructor(
    private readonly lifecycle: CacheLifecycle,
    private readonly following: WriteFollowing,
    private readonly follower: WriteFollower,
    private readonly triggers: TriggerKeeper,
    private readonly relay: OutboxRelay,
    private readonly protocol: WriteProtocol,
  ) {}

  async run(): Promise<void> {
    const { follower, triggers, relay } = this;
    const isFirst = this.following.followedBy({
      get gap() {
        return follower.gap;
      },
      get blindSpot() {
        return triggers.problem ?? relay.problem;
      },
    });
    // The module was imported twice: one instance of it is enough.
    if (!isFirst) return;
    await follower.observe();
    await this.lifecycle.start();
    await follower.start();
    await triggers.start();
    // Last: it says where there is no outbox, which the triggers bring with them.
    relay.start();
    this.lifecycle.beforeClose(() => this.#close());
  }

  /** The last requests have been answered: what they began is ended before Redis is left. */
  async #close(): Promise<void> {
    await this.triggers.close();
    const [isDrained] = await Promise.all([this.protocol.drain(), this.relay.close()]);
    this.follower.close();
    if (isDrained) return;
    this.#log.error(
      'Writes went unannounced while Redis was away, and it has not come back: other instances ' +
        'may serve answers from before them until those expire.',
    );
  }
}
