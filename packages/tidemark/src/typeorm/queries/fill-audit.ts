/**
 * Checks that the statements sent by a fill read nothing outside the read set of its answer.
 *
 * TypeORM answers some queries by several statements, most of which are known only after the first answer. They run in
 * one snapshot. The answer may be stored if each statement is cacheable and each of its tables is covered in one of
 * these ways:
 * - the answer depends on every write to the table;
 * - the statement is restricted to regions that the answer depends on;
 * - the statement is restricted by primary key to rows of the answer itself. Each of these was found in a region that
 *   the answer depends on, and every later change of such a row is a write to that region.
 */
import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import { columnText, dimensionValue } from '../../postgres/analysis/canonical-value.js';
import type { ReadSet } from '../../core/read-set.js';
import type { ReadAnalysis, Refusal, TableRead } from '../../core/statement-analysis.js';
import type { Catalog, TableFacts } from '../../core/table-facts.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from '../../core/versions.js';
import type { Session } from '../database/session-context.js';
import { restrictedTexts } from '../../postgres/analysis/term-values.js';

export interface SentRead {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface FillAuditParts {
  readonly read: (sql: string) => ReadAnalysis;
  readonly catalog: Catalog;
  readonly dependencies: ReadSet;
  /** The entity of the answer's rows. */
  readonly entity: EntityMetadata | undefined;
  /** The role and settings that the key was made for. */
  readonly session: Session;
}

export class FillAudit {
  constructor(private readonly parts: FillAuditParts) {}

  get session(): Session {
    return this.parts.session;
  }

  /** Why the answer must not be stored; `undefined` where it may be. */
  whyUncacheable(
    statements: readonly SentRead[],
    rows: readonly ObjectLiteral[],
  ): Refusal | undefined {
    for (const { sql, parameters } of statements) {
      const analysis = this.parts.read(sql);
      if (!analysis.cacheable) return { reason: analysis.reason, detail: analysis.detail };
      const uncovered = analysis.tables.find((table) => !this.#covers(table, parameters, rows));
      if (uncovered) {
        return {
          reason: 'separate-statements',
          detail: `a separate statement reads rows of ${uncovered.table} on which the answer does not depend`,
        };
      }
    }
    return undefined;
  }

  #covers(
    { table, restrictions }: TableRead,
    parameters: readonly unknown[],
    rows: readonly ObjectLiteral[],
  ): boolean {
    const known = this.parts.dependencies.tables.find((dependency) => dependency.table === table);
    if (!known) return false;
    if (known.names.includes(WHOLE_TABLE)) return true;
    const facts = this.parts.catalog.tables.find(({ id }) => id === table);
    if (!facts) return false;
    return restrictions.some((restriction) => {
      const texts = restrictedTexts(restriction, facts, parameters);
      if (!texts) return false;
      const { name } = restriction.dimension;
      const values = texts.map(dimensionValue);
      const isCovered =
        known.names.includes(unknownVersion(name)) &&
        values.every((value) => known.names.includes(valueVersion(name, value)));
      if (isCovered || name !== facts.primaryKey) return isCovered;
      const found = this.#keysOf(rows, facts);
      return found !== undefined && values.every((value) => found.has(value));
    });
  }

  /** The primary keys of the answer's rows, if they are rows of that table. */
  #keysOf(rows: readonly ObjectLiteral[], facts: TableFacts): ReadonlySet<string> | undefined {
    const { entity, catalog } = this.parts;
    const own = entity && catalog.table(entity.schema, entity.tableName);
    if (!entity || own?.id !== facts.id) return undefined;
    const columns = facts.dimensions.find(({ name }) => name === facts.primaryKey)?.columns ?? [];
    const keys = new Set<string>();
    for (const row of rows) {
      const texts = columns.map((name) => {
        const column = entity.columns.find(({ databaseName }) => databaseName === name);
        return columnText(facts, name, column?.getEntityValue(row, true));
      });
      const known = texts.filter((text): text is string => typeof text === 'string');
      if (known.length === columns.length) keys.add(dimensionValue(known));
    }
    return keys;
  }
}
