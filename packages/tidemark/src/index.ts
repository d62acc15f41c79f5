/** The public names of Tidemark. */
export { CacheEvents, type CacheEventMap } from './core/ports/cache-events.js';
export { ResponseHeaderError } from './core/response-headers.js';
export type { WritePolicy } from './core/write-protocol.js';
export { WriteRefusedError } from './core/write-refused.error.js';
export { CacheHealth, type CacheHealthReport } from './nestjs/cache-health.js';
export type { CacheInvalidationModuleOptions } from './nestjs/cache-invalidation.module-definition.js';
export { CacheInvalidationModule } from './nestjs/cache-invalidation.module.js';
export { CacheQuery } from './nestjs/cache-query.decorator.js';
export { CacheInterceptor } from './nestjs/cache.interceptor.js';
export { hours, minutes, seconds } from './nestjs/duration.js';
export {
  checkPreconditions,
  hasPreconditions,
  type Preconditions,
} from './nestjs/http/preconditions.js';
export { LeavesBody, type CacheQueryOptions } from './nestjs/http/routes.js';
export {
  QueryCache,
  type QueryExplanation,
  type Region,
  type RunOptions,
} from './nestjs/query-cache.js';
export { QueryCacheModule } from './nestjs/query-cache.module.js';
export { QueryCacheOptions, type QueryCacheModuleOptions } from './nestjs/query-cache.options.js';
export { OutboxRelay, type RelayState } from './postgres/capture/outbox-relay.js';
export { CacheRegion } from './typeorm/cache-region.decorator.js';
export {
  BoundQuery,
  defineQuery,
  type DefinedQuery,
  type QueryDefinition,
  type QueryShape,
} from './typeorm/queries/define-query.js';
export type { ExplainedDependency } from './typeorm/queries/explain-plan.js';
export { ImpureQueryError, OtherDataSourceError } from './typeorm/queries/query-errors.js';
export {
  CacheTriggers,
  CacheTriggersError,
  type InstallOptions,
  type OutboxState,
} from './typeorm/triggers/cache-triggers.js';
export { TriggerKeeper, type TriggersOption } from './typeorm/triggers/trigger-keeper.js';
export type { TriggerState } from './typeorm/triggers/trigger-states.js';
