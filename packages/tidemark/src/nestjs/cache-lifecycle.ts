import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { allBuckets } from '../core/buckets.js';
import type { ReadCore } from './read-core.js';
import type { CatalogCache } from '../typeorm/database/catalog-cache.js';
import type { StandbyWatch } from '../typeorm/database/standby-watch.js';
import type { ReadOnlyGuard } from '../typeorm/statements/read-only-guard.js';
import type { CacheStores } from './cache-stores.js';
import type { QueryCacheOptions } from './query-cache.options.js';

/** Pause between two polls for marks that no reader meets. */
const SWEEP_PAUSE_MS = 5_000;

export interface CacheLifecycleParts {
  readonly source: DataSource;
  readonly schema: CatalogCache;
  readonly stores: CacheStores;
  readonly core: ReadCore;
  readonly standby: StandbyWatch;
  readonly options: Pick<QueryCacheOptions, 'enabled'>;
  /** Only with `readOnly`. */
  readonly readOnlyGuard: ReadOnlyGuard | undefined;
}

/** Starts the cache with the application and stops it after the last request. */
export class CacheLifecycle implements OnModuleInit, OnApplicationShutdown {
  readonly #steps: (() => Promise<void>)[] = [];
  #started: Promise<void> | undefined;

  constructor(private readonly parts: CacheLifecycleParts) {}

  /** Adds a step of the shutdown that still needs the stores. */
  beforeClose(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  onModuleInit(): Promise<void> {
    return this.start();
  }

  /** Runs once, unless the cache is disabled; before modules are initialised. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { source, schema, stores, core, options, readOnlyGuard } = this.parts;
    if (!options.enabled) return;
    const { gate, settlement } = core;
    stores.onOutage((bucket) => gate.distrust(bucket));
    await stores.ready();
    const buckets = allBuckets(stores.versions).map(async (bucket) => {
      // Writes before the start of this process may have bypassed the cache.
      if (!(await stores.isAttested(bucket))) gate.distrust(bucket);
      // Creates the schema version that the catalog is then loaded under.
      await gate.checkSchema(bucket);
    });
    await Promise.all(buckets);
    // A loss that only this process detected must invalidate the answers of all instances: each answer depends on the
    // epoch of the schema in its buckets.
    stores.onRecovery((bucket) => void gate.checkSchema(bucket));
    stores.attestWhile((bucket) => gate.isUnbroken(bucket));
    if (source.isInitialized && readOnlyGuard) {
      await schema.load();
      readOnlyGuard.attach();
    }
    void settlement.sweep(SWEEP_PAUSE_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    const { stores, core, standby, readOnlyGuard } = this.parts;
    readOnlyGuard?.detach();
    core.settlement.close();
    standby.close();
    for (const step of this.#steps) await step();
    await stores.close();
  }
}
