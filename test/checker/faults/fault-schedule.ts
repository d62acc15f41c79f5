/**
 * Injects faults one after another, and now and then two at a time in different parts. The seed decides their order and
 * the pauses. Every kind comes once before any comes again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BOUNDS, type BoundName } from '../bounds.js';
import type { FaultRecord } from '../figures.js';
import type { Member } from '../member.js';
import type { WritePolicy } from '../options.js';
import type { Fault, FaultContext } from './fault.js';

/** Time after a fault within which every instance has to answer from the cache again. */
export const RECOVERY_LIMIT_MS = 5_000;
/** Limit of the wait for that. */
const RECOVERY_PATIENCE_MS = 30_000;
const TOGETHER = 0.2;
/** Time after the bounds of a fault during which its rows are read and not written. */
const QUIET_MS = 1_500;

export interface FaultPace {
  /** Longest pause between the recovery from one fault and the next, in milliseconds. */
  readonly pauseMs: number;
}

export class FaultSchedule {
  #round: Fault[] = [];

  constructor(
    private readonly kinds: readonly Fault[],
    private readonly context: FaultContext,
    private readonly pace: FaultPace,
  ) {}

  /** Runs until the run ends, and then mends all faults. */
  async run(): Promise<void> {
    const { system, stopping, random, hold, policy } = this.context;
    await hold(this.pace.pauseMs);
    while (!stopping.aborted) {
      const fault = this.#next(() => true);
      const isTogether = random.chance(TOGETHER) && fault?.isAlone !== true;
      const other = isTogether
        ? this.#next(({ part, isAlone }) => part !== fault?.part && isAlone !== true)
        : undefined;
      const faults = [fault, other].filter((one): one is Fault => one !== undefined);
      if (faults.some(needsSettledRedis)) await system.redis.isSettled();
      const records = await this.#injectTogether(faults);
      if (fault?.isAlone === true) {
        await Promise.all([this.#recovery(records), this.#rest(boundsOf(fault, policy))]);
        // The next fault often comes before the recovery from this one.
      } else if (!random.chance(0.3)) await this.#recovery(records);
      await hold(random.next() * this.pace.pauseMs);
    }
  }

  #next(isFit: (fault: Fault) => boolean): Fault | undefined {
    if (this.#round.length === 0) this.#round = this.context.random.shuffled(this.kinds);
    const index = this.#round.findIndex(isFit);
    return index < 0 ? undefined : this.#round.splice(index, 1)[0];
  }

  /** The bound of one of them may last until the other is over. */
  async #injectTogether(faults: readonly Fault[]): Promise<readonly FaultRecord[]> {
    const { figures, policy } = this.context;
    const names = faults.flatMap((fault) => boundsOf(fault, policy));
    const closings = names.map((name) => figures.bounds.open(name));
    const records = await Promise.all(faults.map((one) => this.#inject(one)));
    for (const close of closings) close();
    return records;
  }

  /** Stops all writers for the bounds and a while after: a write would end an answer that is still old. */
  async #rest(names: readonly BoundName[]): Promise<void> {
    const { writers, nowMs, hold } = this.context;
    const restMs = QUIET_MS + Math.max(0, ...names.map((name) => BOUNDS[name].ms));
    for (const writer of writers) writer.restUntil(nowMs() + restMs);
    await hold(restMs);
  }

  async #inject(fault: Fault): Promise<FaultRecord> {
    const { figures, nowMs } = this.context;
    const record: FaultRecord = {
      kind: fault.kind,
      detail: '',
      startedMs: nowMs(),
      endedMs: undefined,
      recoveredMs: undefined,
    };
    figures.faults.push(record);
    record.detail = await fault.run(this.context);
    record.endedMs = nowMs();
    return record;
  }

  async #recovery(records: readonly FaultRecord[]): Promise<void> {
    const { system, stopping, figures, nowMs } = this.context;
    const sinceMs = Math.max(...records.map(({ endedMs }) => endedMs ?? 0));
    for (;;) {
      const hits = system.members.map(({ lastHitMs }) => lastHitMs);
      const spanMs = nowMs() - sinceMs;
      if (hits.every((hitMs) => hitMs > sinceMs)) {
        for (const record of records) record.recoveredMs = Math.max(...hits) - sinceMs;
        return;
      }
      if (stopping.aborted) return;
      if (spanMs > RECOVERY_PATIENCE_MS) {
        const kinds = records.map(({ kind }) => kind).join(' and ');
        const health = await Promise.all(system.members.map(healthOf));
        figures.hangs.push(
          `No hits within ${RECOVERY_PATIENCE_MS / 1000} s after: ${kinds}\n${health.join('\n')}`,
        );
        return;
      }
      await delay(10);
    }
  }
}

/** Why the instance does not hit, in its own words. */
async function healthOf({ index, port }: Member): Promise<string> {
  const url = `http://127.0.0.1:${port}/health/ready`;
  const text = await fetch(url).then((answer) => answer.text(), String);
  return `    instance ${index}: ${text}`;
}

/** A fault of Redis begins where the one before has left nothing broken. */
function needsSettledRedis({ part, isAlone }: Fault): boolean {
  return part === 'redis' || isAlone === true;
}

function boundsOf({ bounds = [] }: Fault, policy: WritePolicy): readonly BoundName[] {
  return bounds.filter((name) => name !== 'unpublished' || policy === 'commit');
}
