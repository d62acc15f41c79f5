/** Reading the pages of ten regions while users of one of them, or of all, are written. */
import { setTimeout as delay } from 'node:timers/promises';
import { noCache, tidemark, tidemarkInProcess } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { REGIONS, USERS } from '../harness/servers.js';
import { measure, MEASURE_COLUMNS, measureRow } from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';
import { hitShare } from './zipf.js';

const ROWS = 100;
const CONNECTIONS = 100;
const RATES = [1, 10, 100] as const;
const TARGETS = ['one region', 'all regions'] as const;
const PATHS = Array.from(
  { length: REGIONS },
  (_, region) => `/users?limit=${ROWS}&region=R${region}`,
);
const HEADERS = { 'content-type': 'application/json' };

export const writes: Scenario = {
  id: 'writes',
  contenders: [noCache, tidemark, tidemarkInProcess],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(writes);
  return together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    const tables = [];
    for (const target of TARGETS) {
      for (const rate of RATES) {
        const written = new Map<RunningContender, Writing[]>();
        const found = await measure(bench, {
          title: `writes, ${rate}/s into ${target}`,
          running,
          connections: [CONNECTIONS],
          load: () => ({ paths: PATHS }),
          beside: (one) => {
            const writing = new Writing(one, rate, target === 'one region');
            written.set(one, [...(written.get(one) ?? []), writing]);
            return () => writing.end();
          },
        });
        tables.push({
          title: `${rate} writes a second into ${target} of ten, while their pages of ${ROWS} rows are read`,
          columns: [...MEASURE_COLUMNS, 'without SELECT', 'writes done'],
          rows: found.map((one) => [
            ...measureRow(one),
            hitShare(one),
            doneText(written.get(one.running) ?? []),
          ]),
        });
      }
    }
    return { tables, reached: {} };
  });
}

/** PATCHes users at an even rate until it is ended; a write that takes long delays no other. */
class Writing {
  #done = 0;
  #due = 0;
  #hasEnded = false;
  readonly #pending = new Set<Promise<void>>();
  readonly #loop: Promise<void>;

  constructor(
    private readonly running: RunningContender,
    private readonly perSecond: number,
    private readonly intoOneRegion: boolean,
  ) {
    this.#loop = this.#run();
  }

  get done(): number {
    return this.#done;
  }

  get due(): number {
    return this.#due;
  }

  /** Rejects when a write has failed. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.#loop;
    await Promise.all(this.#pending);
  }

  async #run(): Promise<void> {
    const startedMs = performance.now();
    while (!this.#hasEnded) {
      const write = this.#write();
      this.#pending.add(write);
      write.then(
        () => this.#pending.delete(write),
        () => undefined,
      );
      this.#due += 1;
      const nextMs = startedMs + (this.#due * 1000) / this.perSecond;
      await delay(Math.max(0, nextMs - performance.now()));
    }
  }

  async #write(): Promise<void> {
    const group = Math.floor(Math.random() * (USERS / REGIONS)) * REGIONS;
    const region = this.intoOneRegion ? 0 : Math.floor(Math.random() * REGIONS);
    // User i has the id i + 1 and is in region R(i mod 10).
    const response = await this.running.ask(`/users/${group + region + 1}`, {
      method: 'PATCH',
      headers: HEADERS,
      body: JSON.stringify({ email: `w${this.#due}@example.com` }),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`A PATCH was answered with ${response.status}`);
    this.#done += 1;
  }
}

function doneText(all: readonly Writing[]): string {
  // The first turn warmed up.
  const counted = all.slice(1);
  const done = counted.reduce((sum, one) => sum + one.done, 0);
  const due = counted.reduce((sum, one) => sum + one.due, 0);
  return `${done} of ${due}`;
}
