/** The names that resolve differently on one connection than on a new one. */
import type { SideEffect, TableFacts } from '../../core/table-facts.js';

/** The search path and the temporary relations of a connection. */
export interface SessionNames {
  /** The schemas in search order, including the temporary one if it exists. */
  readonly searchPath: readonly string[];
  readonly temporary: readonly TemporaryRelation[];
  /**
   * Whether a backslash is literal in a plain string constant, as the parser assumes here
   * (`standard_conforming_strings`).
   */
  readonly isStandard: boolean;
}

export interface TemporaryRelation {
  readonly name: string;
  /** A table for which a write changes only its own rows. */
  readonly isPlain: boolean;
}

const TEMPORARY = 'pg_temp';

/** Returns one row with the names as JSON. */
export const SESSION_NAMES = `
SELECT pg_catalog.json_build_object(
  'isStandard', pg_catalog.current_setting('standard_conforming_strings') = 'on',
  'searchPath', pg_catalog.array_to_json(pg_catalog.current_schemas(true)),
  'temporary', COALESCE((
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', c.relname,
      'isPlain', c.relkind = 'r' AND NOT c.relhasrules AND c.relchecks = 0
        AND NOT c.relrowsecurity
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
                         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef a JOIN pg_catalog.pg_depend d
               ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = a.oid
              AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
             WHERE a.adrelid = c.oid)) ORDER BY c.relname)
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = pg_catalog.pg_my_temp_schema()
       AND c.relkind IN ('r', 'p', 'v', 'f')), '[]'::pg_catalog.json))::text AS names`;

export function parseSessionNames(rows: readonly Record<string, unknown>[]): SessionNames {
  return JSON.parse(String(rows[0]?.['names'])) as SessionNames;
}

export function isTemporary({ schema }: TableFacts): boolean {
  return schema.startsWith(TEMPORARY);
}

/** The temporary relations as tables, under each name of their schema. */
export function temporaryTables({ searchPath, temporary }: SessionNames): TableFacts[] {
  const schemas = [TEMPORARY, ...searchPath.filter((schema) => schema.startsWith('pg_temp_'))];
  return schemas.flatMap((schema) =>
    temporary.map(({ name, isPlain }) => ({
      id: `${schema}.${name}`,
      schema,
      name,
      kind: 'table',
      columns: new Map(),
      dimensions: [],
      primaryKey: undefined,
      sideEffects: new Set<SideEffect>(isPlain ? [] : ['read', 'write']),
      hasRowSecurity: false,
      isRowSecured: false,
      policies: [],
      isUnlogged: false,
      relatives: [],
      referencedBy: [],
      captures: [],
      definition: undefined,
      sources: [],
    })),
  );
}
