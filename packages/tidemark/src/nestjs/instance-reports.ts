/**
 * The reports of the instances over one data source, and the mode that they share. A module that shows reports calls
 * {@link InstanceReports.start}; before that nothing is counted, published or asked.
 *
 * Each instance publishes its report on a board in Redis (core/ports/instance-board.ts) every three seconds. A report
 * that is not renewed is over after ten, so an instance that was killed disappears.
 *
 * A mode that was set is on the board too. Each instance follows it when it starts and with each publication, and it
 * comes before the option `mode` until another one is set, except that no instance with the option `shadow` follows
 * `serve`. It ends a day after the last instance. An instance that finds
 * it missing, because Redis was emptied, puts it there again.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { pause, within, type Clock, type Timers } from '../core/ports/clock.js';
import type { CacheEvents } from '../core/ports/cache-events.js';
import type { InstanceBoard } from '../core/ports/instance-board.js';
import { CacheObserver } from '../observe/cache-observer.js';
import type { LiveListener } from '../observe/live-requests.js';
import { parseReport, textOf } from '../observe/report-text.js';
import type { InstanceReport, MarkReport } from '../observe/report.js';
import {
  doubtOf,
  healthOf,
  marksIn,
  type DoubtParts,
  type WriteSideParts,
} from './doubt-report.js';
import type { CacheMode, QueryCacheOptions } from './query-cache.options.js';
import type { ReadCore } from './read-core.js';

const PUBLISH_MS = 3_000;
const TTL_MS = 10_000;
/** How long a starting application waits for the shared mode. */
const START_WAIT_MS = 1_000;
/** How long answers of the stores are used again: several callers ask at once, and for minutes. */
const REUSE_MS = 1_000;

export interface InstanceReportsParts extends DoubtParts {
  /** The name of the data source. */
  readonly name: string;
  readonly events: CacheEvents;
  readonly board: InstanceBoard;
  readonly core: Pick<ReadCore, 'mode' | 'local'>;
  readonly options: Readonly<QueryCacheOptions>;
  /** Runs a step of the shutdown that still needs the stores. */
  readonly beforeClose: (step: () => Promise<void>) => void;
  /** Milliseconds since the Unix epoch. */
  readonly clock: Clock;
  /** Its timers alone do not keep the process alive. */
  readonly timers: Timers;
  readonly log: Pick<LoggerService, 'log' | 'warn'>;
}

export class InstanceReports {
  readonly #id = randomUUID();
  readonly #startedAtMs: number;
  readonly #observer: CacheObserver;
  readonly #others: () => Promise<readonly InstanceReport[]>;
  readonly #marks: () => Promise<readonly MarkReport[]>;
  #writeSide: WriteSideParts | undefined;
  #started: Promise<void> | undefined;
  #isClosed = false;
  #publication: Promise<void> | undefined;
  /** The mode on the board, as far as it is known. */
  #shared: CacheMode | undefined;
  /** How often the mode was set here: a publication that began before does not know it. */
  #modeChanges = 0;
  #isWarned = false;

  constructor(private readonly parts: InstanceReportsParts) {
    const { events, clock } = parts;
    this.#startedAtMs = clock.nowMs();
    this.#observer = new CacheObserver(events, clock);
    this.#others = reused(clock, () => this.#readOthers());
    this.#marks = reused(clock, () => marksIn(parts));
  }

  /** The name of the data source. */
  get dataSource(): string {
    return this.parts.name;
  }

  /** The mode in force on this instance. */
  get mode(): InstanceReport['mode'] {
    return this.parts.options.enabled ? this.parts.core.mode : 'off';
  }

  /** Adds what the write side knows. */
  addWriteSide(parts: WriteSideParts): void {
    this.#writeSide = parts;
  }

  /**
   * Counts from now on, and publishes a report every few seconds until the cache is closed. Resolves when the shared
   * mode is followed, or after a second. Never rejects.
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** The report of this instance as of now. */
  async own(): Promise<InstanceReport> {
    const [report, marks] = await Promise.all([this.#report(), this.#marks()]);
    return { ...report, doubt: { ...report.doubt, marks } };
  }

  /**
   * The reports of all instances, this one first: as of now, the others' at most some seconds old. While Redis is away,
   * this instance's alone.
   */
  async all(): Promise<readonly InstanceReport[]> {
    const others = await this.#others();
    for (const { recentWrites } of others) this.#observer.learn(recentWrites);
    const own = await this.own();
    const explained = others.map((report) => ({
      ...report,
      misses: this.#observer.explainOthers(report.misses),
    }));
    return [own, ...explained];
  }

  /** Calls the listener for each request from now on; returns the function that ends it. */
  onRequest(listener: LiveListener): () => void {
    return this.#observer.live.on(listener);
  }

  /** Whether this instance stays in shadow mode, whatever mode is set. */
  get staysInShadow(): boolean {
    return this.parts.options.mode === 'shadow';
  }

  /**
   * Sets the mode of all instances, which follow within seconds. Rejects if the cache is off, if the mode is `serve` and
   * this instance stays in shadow mode, or if Redis is away.
   */
  async setMode(mode: CacheMode): Promise<void> {
    const { options, board } = this.parts;
    if (!options.enabled) throw new Error('The cache is off (`enabled: false`): it has no mode.');
    if (mode === 'serve' && this.staysInShadow) {
      throw new Error("The option `mode: 'shadow'` keeps this instance in shadow mode.");
    }
    await board.setMode(mode);
    this.#modeChanges += 1;
    this.#follow(mode);
  }

  async #start(): Promise<void> {
    const { beforeClose, timers } = this.parts;
    this.#observer.start();
    beforeClose(() => this.#close());
    this.#publication = this.#publish();
    await within(timers, START_WAIT_MS, this.#publication);
    void this.#publishAgain();
  }

  async #publishAgain(): Promise<void> {
    for (;;) {
      await pause(this.parts.timers, PUBLISH_MS);
      if (this.#isClosed) return;
      // One at a time, also if Redis is slow.
      await this.#publication;
      this.#publication = this.#publish();
    }
  }

  /** Never rejects. */
  async #publish(): Promise<void> {
    const { board, log } = this.parts;
    const changes = this.#modeChanges;
    try {
      const report = textOf(await this.#report());
      const mode = await board.publish(this.#id, report, TTL_MS, this.#shared);
      if (changes === this.#modeChanges && isMode(mode)) this.#follow(mode);
      this.#isWarned = false;
    } catch (error) {
      if (!this.#isWarned && !this.#isClosed) {
        log.warn(
          `Other instances do not see the report of this one, and a mode that is set is not followed: ${(error as Error).message}`,
        );
      }
      this.#isWarned = true;
    }
  }

  #follow(mode: CacheMode): void {
    const { core, log } = this.parts;
    this.#shared = mode;
    if (core.mode === mode || this.staysInShadow) return;
    core.mode = mode;
    log.log(`The mode is ${mode}: it was set for all instances while they run`);
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#observer.stop();
    await this.#publication;
    await this.parts.board.remove(this.#id).catch(() => undefined);
  }

  async #readOthers(): Promise<readonly InstanceReport[]> {
    const texts = await this.parts.board.read().catch(() => []);
    const others: InstanceReport[] = [];
    for (const text of texts) {
      const report = parseReport(text);
      if (report && report.id !== this.#id && report.dataSource === this.dataSource) {
        others.push(report);
      }
      // Requests do not wait for all of them.
      await setImmediate();
    }
    return others;
  }

  /** Without marks, for which the store is asked. */
  async #report(): Promise<InstanceReport> {
    const { core, options } = this.parts;
    const observed = this.#observer.report();
    return {
      id: this.#id,
      host: hostname(),
      pid: process.pid,
      release: options.release,
      dataSource: this.dataSource,
      startedAtMs: this.#startedAtMs,
      mode: this.mode,
      health: healthOf(this.parts),
      memory: {
        l1Bytes: core.local.bytes,
        l1MaxBytes: options.l1Bytes,
        l1Entries: core.local.size,
        rssBytes: process.memoryUsage.rss(),
      },
      ...observed.counts,
      audit: { share: options.audit, ...observed.audit },
      doubt: await doubtOf(this.parts, observed, this.#writeSide),
    };
  }
}

function isMode(mode: string | undefined): mode is CacheMode {
  return mode === 'serve' || mode === 'shadow';
}

/** Uses a result for a second. */
function reused<T>(clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let last: { readonly atMs: number; readonly result: Promise<T> } | undefined;
  return () => {
    const atMs = clock.nowMs();
    if (!last || Math.abs(atMs - last.atMs) >= REUSE_MS) last = { atMs, result: work() };
    return last.result;
  };
}
