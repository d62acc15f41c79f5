/** Gathers everything that keeps reads from the cache at present. */
import type { VersionStore } from '../core/ports/version-store.js';
import type { ObserverReport } from '../observe/cache-observer.js';
import type { DoubtReport, InstanceReport, MarkReport } from '../observe/report.js';
import type { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import type { TriggerKeeper } from '../typeorm/triggers/trigger-keeper.js';
import type { CacheHealth } from './cache-health.js';

const MAX_TABLES = 200;
const MAX_MARKS = 1_000;
const MAX_TRANSACTIONS = 100;
const MAX_TRIGGERS = 500;
/** Of a text, in characters: it may name hundreds of tables. */
const MAX_TEXT = 2_000;

/** The parts of the write side; a data source that is only read has none. */
export interface WriteSideParts {
  readonly relay: Pick<OutboxRelay, 'state' | 'backlog'>;
  readonly triggers: Pick<TriggerKeeper, 'states'>;
}

export interface DoubtParts {
  readonly health: Pick<CacheHealth, 'awaitedTransactions' | 'check'>;
  readonly versions: Pick<VersionStore, 'tables' | 'marks'>;
  /** What degrades the cache. */
  readonly degradations: () => readonly (string | undefined)[];
}

export function healthOf({ health }: Pick<DoubtParts, 'health'>): InstanceReport['health'] {
  const state = health.check();
  const detail = state.status === 'degraded' ? cut(state.detail) : undefined;
  return { status: state.status, detail };
}

/** Asks no server, and leaves the marks out. */
export async function doubtOf(
  { health, degradations }: DoubtParts,
  observed: ObserverReport,
  writeSide: WriteSideParts | undefined,
): Promise<DoubtReport> {
  const details = [...degradations(), healthOf({ health }).detail];
  const awaited = [...health.awaitedTransactions].slice(0, MAX_TRANSACTIONS);
  const backlog = writeSide?.relay.backlog;
  return {
    marks: [],
    awaited: awaited.map(([backendPid, { application, since }]) => ({
      backendPid,
      application,
      since,
    })),
    epochs: observed.epochs,
    relay: writeSide && {
      state: writeSide.relay.state,
      backlogRows: backlog?.rows,
      backlogAgeMs: backlog?.ageMs,
      lastLagMs: observed.lastLagMs,
      relayedRows: observed.relayedRows,
    },
    triggers: faultsFirst((await writeSide?.triggers.states().catch(() => [])) ?? []).slice(
      0,
      MAX_TRIGGERS,
    ),
    problems: [...new Set(details.filter((detail) => detail !== undefined).map(cut))],
  };
}

/** The marks in the store; none of tables that it does not answer for. */
export async function marksIn({ versions }: DoubtParts): Promise<readonly MarkReport[]> {
  const tables = await versions.tables().catch(() => []);
  const marks = tables.slice(0, MAX_TABLES).map(async (table) => {
    const standing = await versions.marks(table).catch(() => []);
    return standing.map((mark) => ({ table, ...mark }));
  });
  return (await Promise.all(marks)).flat().slice(0, MAX_MARKS);
}

function faultsFirst(triggers: DoubtReport['triggers']): DoubtReport['triggers'] {
  const isFault = ({ state }: DoubtReport['triggers'][number]): boolean => state !== 'installed';
  return triggers.toSorted((one, other) => Number(isFault(other)) - Number(isFault(one)));
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
