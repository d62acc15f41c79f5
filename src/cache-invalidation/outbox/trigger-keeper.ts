/** Puts the triggers on the tables of entities and keeps them there, or only looks after them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Catalogue, DatabaseSchema } from '../../query-cache/index.js';
import { CacheTriggersError } from './cache-triggers.error.js';
import type { CacheTriggers } from './cache-triggers.js';
import type { RecordingChanges } from './recording-changes.js';
import type { TriggerTrust } from './trigger-trust.js';

/**
 * What becomes of the triggers by which writes from outside the application are seen:
 * `install` puts them on at start, and on tables that appear later; `check` only says which tables lack
 * them; `off` does neither.
 */
export type TriggersOption = 'install' | 'check' | 'off';

export interface TriggerKeeperLog {
  log(message: string): void;
  warn(message: string): void;
}

/** Pause between two looks whether the catalogue has changed. */
const TICK_MS = 500;
/** Pause before another attempt where a table was in use or a server was away. */
const RETRY_MS = 1_000;
/** Pause between two looks at triggers under one catalogue: others may take them off. */
const LOOK_MS = 60_000;
/** How long the start of the application waits for the first attempt. */
const START_WAIT_MS = 5_000;

export interface TriggerKeeperParts {
  readonly triggers: CacheTriggers;
  readonly recording: RecordingChanges;
  readonly schema: DatabaseSchema;
  readonly trust: TriggerTrust;
  readonly option: TriggersOption;
  /** Whether statements of the data source are followed: those of an installation are. */
  readonly isReady: () => boolean;
  readonly log: TriggerKeeperLog;
}

export class TriggerKeeper {
  #problem: string | undefined;
  /** All tables had their triggers when they were looked at last. */
  #isSettled = false;
  #warnedOf: string | undefined;
  #checkedUnder: Catalogue | undefined;
  #nextLookMs = -Infinity;
  #running: Promise<void> | undefined;
  #lastLook: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(private readonly parts: TriggerKeeperParts) {
    parts.trust.follow(() => {
      this.#nextLookMs = -Infinity;
      void this.look();
    });
  }

  /** Which tables lack triggers, in one line; `undefined`: none, as far as that is looked after. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves after the first attempt, or after five seconds. Never rejects. */
  async start(): Promise<void> {
    if (this.parts.option === 'off') return;
    const first = this.look();
    this.#running = first.then(() => this.#run());
    await Promise.race([first, pause(START_WAIT_MS, undefined, { ref: false })]);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await pause(TICK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.look();
    }
  }

  /**
   * Looks after the tables that there are now, if the catalogue has changed or another look is due: what
   * made tables itself need not wait for the next one. Never rejects.
   */
  look(): Promise<void> {
    this.#lastLook = this.#lastLook.then(() => this.#look());
    return this.#lastLook;
  }

  async #look(): Promise<void> {
    if (this.parts.option === 'off' || !this.parts.isReady()) return;
    try {
      const { schema } = this.parts;
      if (schema.isOutdated) await schema.load();
      const { catalogue } = schema;
      const nowMs = performance.now();
      if (catalogue === this.#checkedUnder && nowMs < this.#nextLookMs) return;
      this.#checkedUnder = catalogue;
      this.#nextLookMs = nowMs + LOOK_MS;
      await this.#settle();
      this.#isSettled = true;
      this.#problem = undefined;
      this.#warnedOf = undefined;
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** @throws CacheTriggersError where tables lack triggers */
  async #settle(): Promise<void> {
    const { option, triggers, recording, log } = this.parts;
    if (option === 'check') return triggers.require();
    const onInstalled = (table: string): void => log.log(`Put the triggers on ${table}`);
    const around: RecordingChanges['ofInstallation'] = (table, run, install) =>
      recording.ofInstallation(table, run, install);
    await triggers.install({ isWatched: true, onInstalled, around });
  }

  #fail(error: Error): void {
    const isKnown = error instanceof CacheTriggersError;
    if (!isKnown || error.isTemporary) this.#nextLookMs = performance.now() + RETRY_MS;
    if (isKnown) {
      this.#isSettled = false;
      const tables = error.tables.join(', ');
      const remedy = [...error.enabling, 'the log says what to do'].join('; ');
      this.#problem = `The triggers of ${tables} are missing or switched off: writes from outside the application are not seen, and each write of the application ends all answers of its table: ${remedy}`;
      this.#warn(
        `Writes from outside the application (psql, other services) to ${tables} are not seen, and answers may stay old until their time to live is over; a write of the application ends all answers of such a table. ${error.message}`,
      );
    } else if (!this.#isSettled) {
      this.#problem = 'It is not known yet whether the tables have triggers: the log says why';
      this.#warn(`The triggers could not be looked after, and are tried again: ${error.message}`);
    }
  }

  #warn(message: string): void {
    if (this.#warnedOf !== message) this.parts.log.warn(message);
    this.#warnedOf = message;
  }
}
