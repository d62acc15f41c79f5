/** Instances over one database and one Redis, whose reports are looked at. */
import { deepEqual } from 'node:assert/strict';
import { defineQuery, type QueryCacheModuleOptions } from '../../src/index.js';
import { InstanceReports } from '../../src/nestjs/instance-reports.js';
import type { InstanceReport } from '../../src/observe/report.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';
import { CachedApplication } from '../support/cached-application.js';

/** Instances publish every three seconds. */
export const LIMIT_MS = 60_000;

export type ReportCheck = (reports: readonly InstanceReport[]) => void;

const names = defineQuery({
  name: 'customers.names',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: ({ name }) => name,
});

export class ReportingApps {
  readonly #apps: CachedApplication[] = [];

  private constructor(
    private readonly databaseUrl: string,
    private readonly cache: QueryCacheModuleOptions,
  ) {}

  static async open(cache: QueryCacheModuleOptions): Promise<ReportingApps> {
    return new ReportingApps(await createDatabase(), cache);
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.stop()));
  }

  async start(): Promise<CachedApplication> {
    const app = await CachedApplication.start({
      databaseUrl: this.databaseUrl,
      entities: [Customer],
      synchronize: true,
      cache: this.cache,
      invalidation: { triggers: 'install' },
    });
    this.#apps.push(app);
    return app;
  }

  async stop(app: CachedApplication): Promise<void> {
    this.#apps.splice(this.#apps.indexOf(app), 1);
    await app.stop();
  }

  /** Two instances that both have the names of the region US in memory, and do not report yet. */
  async startTwo(): Promise<[CachedApplication, CachedApplication]> {
    const both: [CachedApplication, CachedApplication] = [await this.start(), await this.start()];
    await both[0].source.getRepository(Customer).insert({ id: 1, name: 'Ada', region: 'US' });
    for (const app of both) {
      await eventually(async () => {
        deepEqual((await app.observe(() => this.run(app))).outcomes, ['hit']);
      }, LIMIT_MS);
    }
    return both;
  }

  run(app: CachedApplication): Promise<unknown> {
    return app.cache.run(names.bind({ region: 'US' }));
  }

  async rename(app: CachedApplication, name: string): Promise<void> {
    await app.source.getRepository(Customer).update({ id: 1 }, { name });
  }

  reportsOf(app: CachedApplication): InstanceReports {
    return app.get(InstanceReports);
  }

  /** The reports that the instance has, as soon as they are as expected. */
  seenBy(app: CachedApplication, check: ReportCheck): Promise<readonly InstanceReport[]> {
    return eventually(async () => {
      const reports = await this.reportsOf(app).all();
      check(reports);
      return reports;
    }, LIMIT_MS);
  }
}
