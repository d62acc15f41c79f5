/** Runs a compiled query against the primary database and shapes its rows into the answer. */
import type { DataSource, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { CompiledQuery } from './compiled-query.js';

export interface ExecutedQuery {
  /** What is answered: mapped rows, one mapped row or `null`, or a number. */
  readonly value: unknown;
  readonly rowCount: number;
  readonly empty: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

export class QueryExecutor {
  constructor(private readonly source: DataSource) {}

  async execute(query: CompiledQuery): Promise<ExecutedQuery> {
    // TypeORM's own result cache knows nothing of versions.
    const builder = query.builder.cache(false);
    if (query.queryRunner) return shape(query, await fetchRows(query, builder));
    const runner = this.source.createQueryRunner('master');
    try {
      builder.setQueryRunner(runner);
      return query.hasSeveralStatements
        ? await inOneSnapshot(runner, async () => shape(query, await fetchRows(query, builder)))
        : shape(query, await fetchRows(query, builder));
    } finally {
      await runner.release();
    }
  }
}

async function inOneSnapshot<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  await runner.startTransaction('REPEATABLE READ');
  try {
    await runner.query('SET TRANSACTION READ ONLY');
    const result = await work();
    await runner.commitTransaction();
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

async function fetchRows(
  { shape: wanted }: CompiledQuery,
  builder: SelectQueryBuilder<ObjectLiteral>,
): Promise<ObjectLiteral[] | number> {
  switch (wanted) {
    case 'raw':
      return builder.getRawMany<ObjectLiteral>();
    case 'count':
      return builder.getCount();
    case 'one': {
      const row = await builder.getOne();
      return row ? [row] : [];
    }
    case 'many':
      return builder.getMany();
  }
}

function shape(
  { bound, shape: wanted }: CompiledQuery,
  rows: ObjectLiteral[] | number,
): ExecutedQuery {
  if (typeof rows === 'number') {
    return { value: rows, rowCount: 1, empty: rows === 0, headers: {} };
  }
  const map = bound?.map;
  const mapped: readonly unknown[] = map ? rows.map((row) => map(row)) : rows;
  return {
    value: wanted === 'one' ? (mapped[0] ?? null) : mapped,
    rowCount: rows.length,
    empty: rows.length === 0,
    headers: bound?.headers(mapped) ?? {},
  };
}
