/** What the triggers say to a session that announces its statements itself (capture-sql.ts). */
import { tablesOfRows, type Catalogue, type TouchedTable } from '../../query-cache/index.js';
import { NOTICE_CODE } from './outbox-objects.js';

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
  /** The row of the outbox that says so too. */
  readonly recordedId: bigint | undefined;
}

/** `undefined` for a notice of somebody else. */
export function parseNotice(
  { code, message, detail, hint = '' }: PostgresNotice,
  namespace: string,
): TriggerNotice | undefined {
  if (code !== NOTICE_CODE || message !== namespace || detail === undefined) return undefined;
  return { table: detail, recordedId: /^\d+$/.test(hint) ? BigInt(hint) : undefined };
}

/** What triggers have told in the open transaction of one session. */
export class NoticedWrites {
  readonly #tables = new Set<string>();
  #recordedFrom: bigint | undefined;

  add({ table, recordedId }: TriggerNotice): void {
    this.#tables.add(table);
    if (recordedId !== undefined) this.#recordedFrom ??= recordedId;
  }

  /** The first row that the transaction has put into the outbox. */
  get recordedFrom(): bigint | undefined {
    return this.#recordedFrom;
  }

  clear(): void {
    this.#tables.clear();
    this.#recordedFrom = undefined;
  }

  /** All that changed beyond the tables that are known to have. */
  beyond(known: { has(table: string): boolean }, catalogue: Catalogue): readonly NoticedWrite[] {
    return [...this.#tables]
      .filter((table) => !known.has(table))
      .flatMap((table) => noticedWrites(table, catalogue));
  }
}

export type NoticedWrite = TouchedTable | 'anything';

/** A table that changed, in whatever way, and its relatives. */
export function noticedWrites(table: string, catalogue: Catalogue): readonly NoticedWrite[] {
  const facts = catalogue.tableById(table);
  return (facts && tablesOfRows(facts, new Map(), catalogue)) ?? ['anything'];
}
