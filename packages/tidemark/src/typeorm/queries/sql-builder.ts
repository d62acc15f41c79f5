import { isOneSelect } from '../../postgres/analysis/sql-analyser.js';
import type { BoundQuery } from './bound-query.js';
import { NotASelectError } from './query-errors.js';
import { SelectQueryBuilder, type EntityManager, type ObjectLiteral } from 'typeorm';

interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** A builder whose query is SQL text: it compiles and runs like any other, with the shape `raw`. */
class SqlBuilder extends SelectQueryBuilder<ObjectLiteral> {
  readonly statement: Statement;

  /** @param statement absent when TypeORM clones a builder of this class. */
  constructor(from: SelectQueryBuilder<ObjectLiteral>, statement?: Statement) {
    super(from);
    this.statement = statement ?? (from as unknown as SqlBuilder).statement;
  }

  override getQueryAndParameters(): [string, unknown[]] {
    const { sql, parameters } = this.statement;
    return [sql, [...parameters]];
  }
}

/**
 * Resolves if the query has no SQL text, or one that is a SELECT.
 *
 * @throws NotASelectError
 */
export async function requireSelect({
  name,
  sql,
}: Pick<BoundQuery, 'name' | 'sql'>): Promise<void> {
  if (sql === undefined || (await isOneSelect(sql))) return;
  throw new NotASelectError(name);
}

/** A builder of the text, which runs in the transaction of the manager if there is one. */
export function sqlBuilder(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[],
): SelectQueryBuilder<ObjectLiteral> {
  const builder = manager.createQueryBuilder() as SelectQueryBuilder<ObjectLiteral>;
  return new SqlBuilder(builder, { sql, parameters });
}
