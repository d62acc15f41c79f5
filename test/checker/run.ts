/**
 * One run: starts the servers and instances, runs writers, readers and faults for a while, mends all faults, and
 * compares the final rows with the database and with every instance.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CheckedSystem } from './checked-system.js';
import { checkEverything } from './final-check.js';
import { FaultSchedule } from './faults/fault-schedule.js';
import { faultsOf } from './faults/faults.js';
import { Figures } from './figures.js';
import { HotTargets } from './hot-targets.js';
import { Journal } from './journal.js';
import type { CheckOptions } from './options.js';
import { OutsideWriter } from './outside-writer.js';
import { Reader } from './reader.js';
import { Checker, type Violation } from './checker.js';
import type { RunContext } from './run-context.js';
import { SeededRandom } from './seeded-random.js';
import type { Territory } from './territory.js';
import { Writer } from './writer.js';

/** Violations whose evidence is kept. */
const EVIDENCE_LIMIT = 5;
const PROGRESS_MS = 2_000;
/** Longest pause between two writes from outside. */
const OUTSIDE_PAUSE_MS = 200;

export interface CheckResult {
  readonly figures: Figures;
  readonly checkedReads: number;
  readonly violations: number;
  /** The first violations in full. */
  readonly evidence: readonly string[];
}

export interface CheckHooks {
  /** Ends the load early when it is aborted. */
  readonly interrupted?: AbortSignal;
  /** Called every few seconds and at the end of the load. */
  readonly onProgress?: (result: CheckResult) => void;
  /** Runs beside the load until its signal is aborted. */
  readonly beside?: (system: CheckedSystem, stopping: AbortSignal) => Promise<void>;
}

export async function check(options: CheckOptions, hooks: CheckHooks = {}): Promise<CheckResult> {
  const system = await CheckedSystem.start(options);
  try {
    return await new Run(system, options, hooks).go();
  } finally {
    await system.stop();
  }
}

class Run {
  readonly #stop = new AbortController();
  readonly #evidence: string[] = [];
  #violations = 0;
  readonly #nowMs = (): number => performance.now();
  readonly #random: SeededRandom;
  readonly #context: RunContext;

  constructor(
    system: CheckedSystem,
    private readonly options: CheckOptions,
    private readonly hooks: CheckHooks,
  ) {
    const violated = (violation: Violation): void => this.#violated(violation);
    this.#random = new SeededRandom(options.seed);
    const figures = new Figures(this.#nowMs);
    this.#context = {
      system,
      checker: new Checker(violated, this.#nowMs, figures.bounds),
      figures,
      journal: new Journal(),
      hot: new HotTargets(system.members.length),
      territories: [] as Territory[],
      violated,
      stopping: this.#stop.signal,
      nowMs: this.#nowMs,
    };
  }

  async go(): Promise<CheckResult> {
    const { options, hooks } = this;
    const writers = Array.from(
      { length: options.writers },
      (_, index) => new Writer(index + 1, this.#context, this.#random.fork(), options.writePauseMs),
    );
    const work = [
      ...writers.map((writer) => writer.run()),
      ...this.#readers(options.readers).map((reader) => reader.run()),
      ...Array.from({ length: options.outside }, (_, index) =>
        new OutsideWriter(index, this.#context, this.#random.fork(), OUTSIDE_PAUSE_MS).run(),
      ),
      this.#faults(writers),
      ...(hooks.beside ? [hooks.beside(this.#context.system, this.#stop.signal)] : []),
    ];
    const failed = Promise.all(work).then(() => undefined);
    const progress = setInterval(() => hooks.onProgress?.(this.#result()), PROGRESS_MS);
    try {
      await Promise.race([failed, this.#hold(options.seconds * 1000)]);
      this.#stop.abort();
      await failed;
      hooks.onProgress?.(this.#result());
      await checkEverything(this.#context, this.#readers(this.#context.system.members.length));
      return this.#result();
    } finally {
      this.#stop.abort();
      clearInterval(progress);
    }
  }

  #readers(count: number): Reader[] {
    const { members } = this.#context.system;
    return members
      .flatMap((member) => Array.from({ length: Math.ceil(count / members.length) }, () => member))
      .map((member) => new Reader(member, this.#context, this.#random.fork()));
  }

  async #faults(writers: readonly Writer[]): Promise<void> {
    const { faultPace, policy } = this.options;
    const kinds = faultsOf(this.options);
    if (kinds.length === 0) return;
    const random = this.#random.fork();
    const hold = (ms: number): Promise<void> => this.#hold(ms);
    const context = { ...this.#context, random, writers, hold, policy };
    await new FaultSchedule(kinds, context, faultPace).run();
  }

  /** Waits; ends early when the run does. */
  async #hold(ms: number): Promise<void> {
    const { interrupted } = this.hooks;
    const signals = interrupted ? [this.#stop.signal, interrupted] : [this.#stop.signal];
    await delay(ms, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
  }

  #violated({ territory, text }: Violation): void {
    this.#violations += 1;
    if (this.#evidence.length >= EVIDENCE_LIMIT) return;
    const { figures, journal } = this.#context;
    const at = (ms: number | undefined): string =>
      ms === undefined ? 'now' : ((ms - figures.startedMs) / 1000).toFixed(3);
    const faults = figures
      .faultsSince(this.#nowMs() - 15_000)
      .map(({ kind, detail, startedMs, endedMs }) =>
        `  ${at(startedMs)}-${at(endedMs)} ${kind} ${detail}`.trimEnd(),
      );
    this.#evidence.push(
      [
        text,
        'Writes to the territory, oldest first:',
        ...(territory === undefined ? [] : journal.extract(territory, figures.startedMs)),
        'Faults of the last 15 seconds:',
        ...faults,
      ].join('\n'),
    );
  }

  #result(): CheckResult {
    return {
      figures: this.#context.figures,
      checkedReads: this.#context.checker.checked,
      violations: this.#violations,
      evidence: this.#evidence,
    };
  }
}
