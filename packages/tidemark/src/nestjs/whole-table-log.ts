import type { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ReadSet } from '../core/read-set.js';
import { WHOLE_TABLE } from '../core/versions.js';
import type { CatalogCache } from '../typeorm/database/catalog-cache.js';
import type { CompiledQuery } from '../typeorm/queries/compiled-query.js';
import { explainDependencies } from '../typeorm/queries/explain-plan.js';

/** Most queries that are remembered as logged. */
const MAX_QUERIES = 1_000;

/** Logs once for each query which tables count whole, and why. For development: each explanation parses the SQL. */
export class WholeTableLog {
  readonly #logged = new LRUCache<string, true>({ max: MAX_QUERIES });

  constructor(
    private readonly schema: CatalogCache,
    private readonly log: Pick<Logger, 'debug'>,
  ) {}

  note({ name, sql, parameters }: CompiledQuery, dependencies: ReadSet): void {
    const isAnyWhole = dependencies.tables.some(({ names }) => names.includes(WHOLE_TABLE));
    if (!isAnyWhole || this.#logged.has(name)) return;
    this.#logged.set(name, true);
    const reasons = explainDependencies(this.schema, { sql, parameters }, dependencies)
      .filter(({ isWhole }) => isWhole)
      .map(({ table, reason }) => `${table} (${reason})`);
    this.log.debug(`Each write to these tables ends all answers of ${name}: ${reasons.join('; ')}`);
  }
}
