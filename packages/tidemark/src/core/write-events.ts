/** The events of writes: the answers that a write has ended, its cause, and how long its regions were in doubt. */
import type { CacheEvents, Invalidation, Regions, WriteCause } from './ports/cache-events.js';
import type { Clock } from './ports/clock.js';
import type { TableVersionNames } from './ports/version-store.js';
import type { RegionNames } from './region-names.js';
import { SCHEMA } from './schema-version.js';
import { WHOLE_TABLE } from './versions.js';
import type { CommitOutcome, PublishedWrite } from './write-protocol.js';

/** The answers of this process, as events of writes name them. */
export interface EndedAnswers {
  readonly regionNames: RegionNames;
  /** How many entries in the memory of this process the replaced versions have ended. */
  endedLocally(tables: readonly TableVersionNames[]): number;
}

interface WriteEventsParts {
  readonly events: CacheEvents;
  readonly answers: EndedAnswers;
  readonly clock: Clock;
}

/** The regions of a write to all tables. */
const ALL_TABLES: Regions = [{ table: '*', names: [WHOLE_TABLE] }];

const UNKNOWN_CAUSE: WriteCause = { origin: undefined, statements: [] };

export class WriteEvents {
  /** Times at which own writes were published, on the clock. */
  readonly #publishedAtMs = new WeakMap<PublishedWrite, number>();

  constructor(private readonly parts: WriteEventsParts) {}

  /** The versions of the tables have been replaced. */
  invalidated(
    write: Pick<Invalidation, 'writeId' | 'source'>,
    tables: readonly TableVersionNames[],
    cause = UNKNOWN_CAUSE,
  ): void {
    const { events, answers } = this.parts;
    if (tables.length === 0 || events.listenerCount('invalidated') === 0) return;
    // Every answer depends on the version of the schema.
    const isAll = tables.some(({ table }) => table.startsWith(SCHEMA));
    const regions = isAll ? ALL_TABLES : answers.regionNames(tables);
    const localEntries = answers.endedLocally(tables);
    const { origin } = cause;
    events.emitSafely('invalidated', {
      ...{ ...write, origin, regions, localEntries },
      get statements() {
        return cause.statements;
      },
    });
  }

  /** An own write has been published: {@link concluded} follows. */
  began(write: PublishedWrite): void {
    const { events, clock } = this.parts;
    if (events.listenerCount('concluded') > 0) this.#publishedAtMs.set(write, clock.nowMs());
  }

  /** The marks of an own write are removed, or are left until they are settled. */
  concluded(write: PublishedWrite, outcome: CommitOutcome): void {
    const { events, clock } = this.parts;
    const publishedAtMs = this.#publishedAtMs.get(write);
    if (publishedAtMs === undefined) return;
    const durationMs = clock.nowMs() - publishedAtMs;
    events.emitSafely('concluded', { writeId: write.writeId, outcome, durationMs });
  }
}
