/** Assembles the read side: each part uses only parts above it. */
import type { InjectionToken, Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { UNKNOWN_VERSION } from './application-version.js';
import { AuditFindings } from './audit-findings.js';
import { cacheLogger } from './cache-logger.js';
import { CacheHealth } from './cache-health.js';
import { CacheLifecycle } from './cache-lifecycle.js';
import { CacheReader } from './cache-reader.js';
import { CacheEvents } from '../core/ports/cache-events.js';
import { backgroundTimers, systemClock, wallClock } from '../core/ports/clock.js';
import { WriteFollowing } from '../core/ports/write-following.js';
import { InstanceReports } from './instance-reports.js';
import { QueryCache } from './query-cache.js';
import type { QueryCaches } from './query-caches.js';
import { logShadow } from './shadow-log.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { impurity } from '../typeorm/queries/query-errors.js';
import { QueryTreatments } from './query-treatments.js';
import { ReadCore } from './read-core.js';
import { WriteEvents } from '../core/write-events.js';
import type { WriteOrigins } from './write-origins.js';
import { CatalogCache } from '../typeorm/database/catalog-cache.js';
import { MapCheck } from '../typeorm/queries/map-check.js';
import { LastCalls } from '../typeorm/queries/last-calls.js';
import { OpenTransactions } from '../typeorm/database/open-transactions.js';
import { PlanCache } from '../typeorm/queries/plan-cache.js';
import { PostgresWriterActivity } from '../typeorm/database/postgres-writer-activity.js';
import { ReadOnlyGuard } from '../typeorm/statements/read-only-guard.js';
import { QueryExecutor } from '../typeorm/queries/query-executor.js';
import { hasSpareConnection } from '../typeorm/database/spare-connection.js';
import { StandbyWatch } from '../typeorm/database/standby-watch.js';
import { areWritesWaiting } from '../typeorm/database/waiting-writes.js';
import { OutboxObjects } from '../postgres/capture/outbox-objects.js';
import type { CacheStores } from './cache-stores.js';
import { ClusterStores } from './cluster-stores.js';
import { MemoryStores } from './memory-stores.js';
import { RedisStores } from './redis-stores.js';
import { WholeTableLog } from './whole-table-log.js';
import { shareSecrets } from './shared-secrets.js';

/** The parts that other modules use. */
export type ReadSide = Awaited<ReturnType<typeof makeReadSide>>;

/** The token of the parts of a data source's read side. */
export function readSideToken(dataSource: string): InjectionToken<ReadSide> {
  return `tidemark:read-side:${dataSource}`;
}

export interface ReadSideParts {
  /** The name of the data source. */
  readonly name: string;
  readonly source: DataSource;
  readonly options: Readonly<QueryCacheOptions>;
  readonly caches: QueryCaches;
  readonly origins: WriteOrigins;
}

export async function makeReadSide({ name, source, options, caches, origins }: ReadSideParts) {
  const { release, markLeaseMs, verifyPlans: share } = options;
  const log = cacheLogger('QueryCache', name);
  const events = new CacheEvents();
  events.on('planDiffers', ({ query, difference }) => log.error(impurity(query, difference)));
  logShadow(events, log);
  const following = new WriteFollowing((line) => log.warn(line));
  const transactions = new OpenTransactions();
  const stores = await openStores({ name, source, options }, events, log);
  const { versions } = stores;
  const standby = new StandbyWatch(source, events, log);
  const scope = [stores.scope, release];
  const schema = new CatalogCache({ source, versions, scope, markLeaseMs, standby });
  const activity = new PostgresWriterActivity(source, standby);
  const outbox = new OutboxObjects(options.namespace);
  const database = {
    areWritesWaiting: () => areWritesWaiting(source, outbox),
    hasSpareConnection: () => hasSpareConnection(source),
  };
  const core = new ReadCore({ stores, activity, schema, database, events, options, log });
  const findings = new AuditFindings(events, log);

  const plans = new PlanCache({ source, schema, transactions, events, share });
  const executor = new QueryExecutor({
    source,
    maps: new MapCheck(source, share, events),
    standby,
    // Without Redis no stored answer is served, and every instance detects the change itself.
    onReconfigured: () => void schema.reconfigured().catch(() => undefined),
  });
  const calls = new LastCalls();
  const reader = new CacheReader({
    name,
    definitions: caches.definitions,
    events,
    source,
    following,
    schema,
    plans,
    executor,
    core,
    calls,
    options,
    // Every call is verified in development alone.
    wholeTables: share < 1 ? undefined : new WholeTableLog(schema, log),
  });
  const { entries } = stores;
  const treatments = new QueryTreatments({
    calls,
    schema,
    core,
    entries,
    regionNames: core.regionNames,
    options,
  });
  const readOnlyGuard =
    options.readOnly && options.enabled ? new ReadOnlyGuard(source, schema) : undefined;
  const parts = { source, schema, stores, core, standby, options, readOnlyGuard };
  const lifecycle = new CacheLifecycle(parts);
  caches.opened(lifecycle);
  if (options.readOnly || !options.enabled) {
    await lifecycle.start();
    following.followedBy(readOnlyGuard);
  }
  await caches.add(name, { source, reader, options });
  const health = new CacheHealth(
    core,
    () =>
      findings.degradation ?? stores.degradation() ?? standby.degradation ?? following.degradation,
  );
  const reports = new InstanceReports({
    name,
    events,
    board: stores.board,
    core,
    options,
    health,
    versions,
    degradations: () => [stores.degradation(), standby.degradation, following.degradation],
    beforeClose: (step) => lifecycle.beforeClose(step),
    clock: wallClock,
    timers: backgroundTimers,
    log,
  });
  return {
    name,
    caches,
    source,
    options,
    events,
    following,
    transactions,
    versions,
    schema,
    core,
    origins,
    reader,
    lifecycle,
    health,
    reports,
    cache: new QueryCache({
      events,
      writeEvents: new WriteEvents({ events, answers: core, clock: systemClock }),
      origins,
      source,
      reader,
      schema,
      versions,
      treatments,
      options,
    }),
  };
}

async function openStores(
  { name, source, options }: Pick<ReadSideParts, 'name' | 'source' | 'options'>,
  events: CacheEvents,
  log: Logger,
): Promise<CacheStores> {
  const { redis, release } = options;
  if (!options.enabled) return new MemoryStores(options.namespace);
  if (!redis) {
    log.log('No Redis: this process counts as the only instance');
    return new MemoryStores(options.namespace);
  }
  const secrets = await shareSecrets(source, options.entrySecret, log);
  const parts = { dataSource: name, options, secrets, events, log };
  const stores =
    'seeds' in redis
      ? new ClusterStores({ redis, ...parts })
      : new RedisStores({ redis, ...parts });
  if (release === UNKNOWN_VERSION) {
    log.warn(
      'No package.json names the version of this application: set the option `release`, or answers that an earlier ' +
        'release has stored are read as those of this one',
    );
  } else {
    log.log(`Release ${release}: answers that other releases have stored are not read`);
  }
  return stores;
}
