/** What the triggers say to a session that announces its statements itself (capture-sql.ts). */
import { z } from 'zod';
import { tablesOfRows, type Catalogue, type TouchedTable } from '../../query-cache/index.js';
import { NOTICE_CODE } from './outbox-objects.js';
import { parseRegions, type Regions } from './outbox-record.js';

/** A notice as node-postgres gives it. */
export interface PostgresNotice {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

export interface TriggerNotice {
  /** `schema.name` */
  readonly table: string;
  readonly regions: Regions;
  /** The row of the outbox that says so too. */
  readonly recordedId: bigint | undefined;
}

export type NoticedWrite = TouchedTable | 'anything';

const told = z.object({ id: z.string().regex(/^\d+$/).nullable(), regions: z.unknown() });

/** `undefined` for a notice of somebody else. What does not parse says that any row may have changed. */
export function parseNotice(
  { code, message, detail, hint = '' }: PostgresNotice,
  namespace: string,
): TriggerNotice | undefined {
  if (code !== NOTICE_CODE || message !== namespace || detail === undefined) return undefined;
  const { id = null, regions } = told.safeParse(jsonOf(hint)).data ?? {};
  return {
    table: detail,
    regions: parseRegions(regions),
    recordedId: id === null ? undefined : BigInt(id),
  };
}

/** The table that changed and its relatives. */
export function noticedWrites(
  { table, regions }: TriggerNotice,
  catalogue: Catalogue,
): readonly NoticedWrite[] {
  const facts = catalogue.tableById(table);
  return (facts && tablesOfRows(facts, regions, catalogue)) ?? ['anything'];
}

/** Of which tables triggers have told in the open transaction of one session, or during one statement. */
export class NoticedWrites {
  readonly #tables = new Set<string>();
  #recordedFrom: bigint | undefined;

  add({ table, recordedId }: TriggerNotice): void {
    this.#recordedFrom ??= recordedId;
    this.#tables.add(table);
  }

  has(table: string): boolean {
    return this.#tables.has(table);
  }

  /** The first row that the transaction has put into the outbox. */
  get recordedFrom(): bigint | undefined {
    return this.#recordedFrom;
  }

  clear(): void {
    this.#tables.clear();
    this.#recordedFrom = undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
