/** The public surface of cache invalidation. */
export { CacheInvalidationModule } from './cache-invalidation.module.js';
export type { CacheInvalidationModuleOptions } from './cache-invalidation.module-definition.js';
export type { WritePolicy } from './core/write-protocol.js';
export { WriteRefusedError } from './core/write-refused.error.js';
export {
  CacheTriggers,
  CacheTriggersError,
  type InstallOptions,
  type OutboxState,
} from './outbox/cache-triggers.js';
export type { TriggerState } from './outbox/trigger-states.js';
export { TriggerKeeper, type TriggersOption } from './outbox/trigger-keeper.js';
export { OutboxRelay, type RelayState } from './outbox/outbox-relay.js';
