/** Installs the triggers on the tables of entities and keeps them there, or only checks them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Catalog, TableFacts } from '../../core/table-facts.js';
import type { WriteParts } from '../statements/write-parts.js';
import { CacheTriggersError, type CacheTriggers } from './cache-triggers.js';
import type { RecordingChanges } from '../../postgres/capture/recording-changes.js';
import { stateOf, tablesOfEntities, type TriggerState } from './trigger-states.js';

/**
 * The policy for the triggers that report writes from outside the application: `install` installs them at start and on
 * tables that appear later; `check` only reports which tables lack them; `off` does neither.
 */
export type TriggersOption = 'install' | 'check' | 'off';

/** Pause between two checks of whether the catalog has changed. */
const TICK_MS = 500;
/** Pause before another attempt if a table was in use or a server was unavailable. */
const RETRY_MS = 1_000;
/** Pause between two checks of the triggers under one catalog: another client may remove them. */
const CHECK_MS = 60_000;
/** How long the start of the application waits for the first attempt. */
const START_WAIT_MS = 5_000;

interface TriggerKeeperParts extends WriteParts {
  readonly triggers: CacheTriggers;
  readonly recording: RecordingChanges;
  readonly option: TriggersOption;
  /** Whether statements of the data source are intercepted, including those of an installation. */
  readonly isReady: () => boolean;
}

/** Keeps the triggers of a running application installed, or checks them. */
export class TriggerKeeper {
  #problem: string | undefined;
  #missing: readonly string[] | undefined;
  /** All tables had their triggers at the last check. */
  #isSettled = false;
  #warnedOf: string | undefined;
  readonly #warnedOfTables = new Set<string>();
  readonly #known = new WeakMap<TableFacts, boolean>();
  #checkedUnder: Catalog | undefined;
  #nextCheckMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #lastCheck: Promise<void> = Promise.resolve();

  constructor(private readonly parts: TriggerKeeperParts) {}

  /** The tables that lack triggers, in one line; `undefined`: none, as far as they are checked. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The tables that lacked triggers at the last check, as `schema.name`; `undefined`: not checked. */
  get missing(): readonly string[] | undefined {
    return this.#missing;
  }

  /** Whether triggers are being installed now. The next check or statement afterwards loads the catalog. */
  get isInstalling(): boolean {
    return this.parts.recording.isInstalling;
  }

  /** Whether the table has the triggers, according to the catalog. */
  readonly hasTriggers = (table: TableFacts): boolean => {
    let hasTriggers = this.#known.get(table);
    if (hasTriggers === undefined) {
      hasTriggers = stateOf(table.captures, table, this.parts.objects) === 'installed';
      this.#known.set(table, hasTriggers);
    }
    return hasTriggers;
  };

  /** The triggers of each table that should have them, according to the catalog. Rejects if it cannot be loaded. */
  async states(): Promise<readonly TriggerState[]> {
    const { source, schema, objects } = this.parts;
    await schema.load();
    return tablesOfEntities(source, schema.catalog).map((table) => ({
      table: table.id,
      state: stateOf(table.captures, table, objects),
    }));
  }

  /** Logs once per table the cost of missing triggers. */
  warnOf({ id }: TableFacts): void {
    if (this.#warnedOfTables.has(id)) return;
    this.#warnedOfTables.add(id);
    this.parts.log.log(
      `Table ${id} has no triggers that report its writes: every write to it ends all its answers, ` +
        'and writes from outside the application are not seen.',
    );
  }

  /** Rows of these tables were changed without a notice of their triggers. */
  doubt(silent: readonly string[]): void {
    this.parts.log.warn(
      `The triggers of ${silent.join(', ')} did not report a write: they were disabled or dropped. ` +
        'The write counts as a write to all tables, and the catalog is reloaded.',
    );
    this.#nextCheckMs = -Infinity;
    void this.check();
  }

  /** Resolves after the first attempt, or after five seconds. Never rejects. */
  async start(): Promise<void> {
    if (this.parts.option === 'off') return;
    this.#timer = setInterval(() => void this.check(), TICK_MS).unref();
    await Promise.race([this.check(), pause(START_WAIT_MS, undefined, { ref: false })]);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#lastCheck;
  }

  /**
   * Checks or installs the triggers now, if the catalog has changed or the next check is due. The creator of a table
   * calls it to avoid the wait for the timer. Never rejects.
   */
  check(): Promise<void> {
    this.#lastCheck = this.#lastCheck.then(() => this.#check());
    return this.#lastCheck;
  }

  async #check(): Promise<void> {
    const { schema, option, isReady } = this.parts;
    if (option === 'off' || !isReady()) return;
    try {
      if (schema.isOutdated) await schema.load();
      const { catalog } = schema;
      const nowMs = performance.now();
      if (catalog === this.#checkedUnder && nowMs < this.#nextCheckMs) return;
      this.#checkedUnder = catalog;
      this.#nextCheckMs = nowMs + CHECK_MS;
      await this.#settle();
      this.#isSettled = true;
      this.#problem = undefined;
      this.#missing = [];
      this.#warnedOf = undefined;
      // An installation changes the catalog: the tables of the new one are checked before the start goes on.
      if (schema.isOutdated) await this.#check();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** @throws CacheTriggersError if tables lack triggers */
  async #settle(): Promise<void> {
    const { option, triggers, recording, log } = this.parts;
    if (option === 'check') return triggers.require();
    const installed = await recording.installing(() => triggers.install({ isWatched: true }));
    if (installed.length > 0) log.log(`Triggers installed on ${installed.join(', ')}`);
  }

  #fail(error: Error): void {
    const isKnown = error instanceof CacheTriggersError;
    if (!isKnown || error.isTemporary) this.#nextCheckMs = performance.now() + RETRY_MS;
    if (isKnown) {
      this.#isSettled = false;
      this.#missing = error.tables;
      const tables = error.tables.join(', ');
      const remedy = [...error.enabling, 'the log says what to do'].join('; ');
      this.#problem = `The triggers of ${tables} are missing or disabled: writes from outside the application are not seen, and each write of the application ends all answers of its table: ${remedy}`;
      this.#warn(
        `Writes from outside the application (psql, other services) to ${tables} are not seen, and answers may stay old until their time to live is over; a write of the application ends all answers of such a table. ${error.message}`,
      );
    } else if (!this.#isSettled) {
      this.#problem = 'The triggers of the tables could not be checked yet: the log says why';
      this.#warn(`The triggers could not be checked; the check is repeated: ${error.message}`);
    }
  }

  #warn(message: string): void {
    if (this.#warnedOf !== message) this.parts.log.warn(message);
    this.#warnedOf = message;
  }
}
