/**
 * Whether the statements that a fill really sent read nothing but what its answer depends on.
 *
 * TypeORM answers pages of joined rows and counts by statements that are known only once it has sent them. The
 * answer may be stored if each of them is cacheable by itself, and the answer depends on every write to each of its
 * tables, or on the regions that the statement is confined to.
 */
import { dimensionValue } from '../core/canonical-value.js';
import type { Dependencies } from '../core/dependency.js';
import type { ReadAnalysis, TableRead, UncacheableReason } from '../core/statement-analysis.js';
import type { Catalogue } from '../core/table-facts.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from '../core/version-name.js';
import type { Session } from './session-context.js';
import { confinedTexts } from './term-values.js';

export interface SentRead {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface AuditRefusal {
  readonly reason: UncacheableReason;
  readonly detail: string;
}

export interface FillAuditParts {
  readonly read: (sql: string) => ReadAnalysis;
  readonly catalogue: Catalogue;
  readonly dependencies: Dependencies;
  /** The role and settings that the key was made for. */
  readonly session: Session;
}

export class FillAudit {
  constructor(private readonly parts: FillAuditParts) {}

  get session(): Session {
    return this.parts.session;
  }

  /** Why the answer must not be stored; `undefined` where it may. */
  refusalOf(statements: readonly SentRead[]): AuditRefusal | undefined {
    for (const { sql, parameters } of statements) {
      const analysis = this.parts.read(sql);
      if (!analysis.cacheable) return { reason: analysis.reason, detail: analysis.detail };
      const uncovered = analysis.tables.find((table) => !this.#covers(table, parameters));
      if (uncovered) {
        return {
          reason: 'separate-statements',
          detail: `a statement of its own reads more of ${uncovered.table} than was foreseen`,
        };
      }
    }
    return undefined;
  }

  #covers({ table, confinements }: TableRead, parameters: readonly unknown[]): boolean {
    const { dependencies, catalogue } = this.parts;
    const known = dependencies.tables.find((dependency) => dependency.table === table);
    if (!known) return false;
    if (known.names.includes(WHOLE_TABLE)) return true;
    const facts = catalogue.tables.find(({ id }) => id === table);
    if (!facts) return false;
    return confinements.some((confinement) => {
      const { name } = confinement.dimension;
      const values = confinedTexts(confinement, facts, parameters)?.map(dimensionValue);
      const read = values?.map((value) => valueVersion(name, value)).concat(unknownVersion(name));
      return read?.every((version) => known.names.includes(version)) ?? false;
    });
  }
}
