import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { FreshnessGate } from './core/freshness-gate.js';
import type { MarkSweep } from './core/mark-sweep.js';
import type { Settlement } from './core/settlement.js';
import type { DatabaseSchema } from './sql/database-schema.js';
import type { StandbyWatch } from './sql/standby-watch.js';
import type { CacheStores } from './stores/cache-stores.js';

/** Starts the cache with the application and stops it after the last request. */
export class CacheLifecycle implements OnModuleInit, OnApplicationShutdown {
  readonly #steps: (() => Promise<void>)[] = [];
  #started: Promise<void> | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly schema: DatabaseSchema,
    private readonly stores: CacheStores,
    private readonly gate: FreshnessGate,
    private readonly settlement: Settlement,
    private readonly sweep: MarkSweep,
    private readonly standby: StandbyWatch,
  ) {}

  /** Adds a step that still needs the stores when the application stops. */
  beforeClose(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  onModuleInit(): Promise<void> {
    return this.start();
  }

  /** Runs once; the write side calls it before modules are initialised. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    this.stores.onOutage(() => this.gate.distrustAll());
    await this.stores.ready();
    // What this process did not live through may have gone past the cache.
    if (!(await this.stores.isVouchedFor())) this.gate.distrustAll();
    // Makes the version of the schema, under which the catalogue is then loaded.
    await this.gate.check([]);
    // What only this process has found out ends the answers of all: each depends on the epoch of the schema.
    this.stores.onRecovery(() => void this.gate.check([]));
    this.stores.vouchWhile(() => this.gate.isUnbroken);
    if (this.source.isInitialized) await this.schema.load();
    void this.sweep.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.settlement.close();
    this.sweep.close();
    this.standby.close();
    for (const step of this.#steps) await step();
    await this.stores.close();
  }
}
