import { describe, expect, it } from 'vitest';
import { BOUNDS } from '../bounds.js';
import { Figures } from '../figures.js';
import { SeededRandom } from '../seeded-random.js';
import type { WritePolicy } from '../options.js';
import { FaultSchedule } from './fault-schedule.js';
import type { Fault, FaultContext } from './fault.js';

/** Runs kinds until so many were injected; returns the events in order. */
async function run(
  kinds: readonly Fault[],
  { injected, policy = 'refuse' }: { injected: number; policy?: WritePolicy },
): Promise<{ log: readonly string[]; figures: Figures }> {
  const log: string[] = [];
  const stop = new AbortController();
  let nowMs = 0;
  const figures = new Figures(() => nowMs);
  let count = 0;
  const noted = kinds.map((kind): Fault => ({
    ...kind,
    run: async (context) => {
      log.push(`begin ${kind.kind}`);
      await Promise.resolve();
      if ((count += 1) === injected) stop.abort();
      const detail = await kind.run(context);
      log.push(`end ${kind.kind}`);
      return detail;
    },
  }));
  const context = {
    system: { members: [], redis: { isSettled: () => Promise.resolve() } },
    writers: [],
    figures,
    random: new SeededRandom(1),
    policy,
    stopping: stop.signal,
    nowMs: () => nowMs,
    hold: (ms: number) => {
      nowMs += ms;
      if (ms > 0) log.push(`hold ${Math.round(ms)}`);
      return Promise.resolve();
    },
  } as unknown as FaultContext;
  await new FaultSchedule(noted, context, { pauseMs: 0 }).run();
  return { log, figures };
}

function fault(kind: string, part: Fault['part'], more: Partial<Fault> = {}): Fault {
  return { kind, part, isQuick: true, run: async () => '', ...more };
}

/** The bound, and a while in which all is read that the fault has left. */
const restMs = BOUNDS['older-data'].ms + 1_500;

describe('FaultSchedule', () => {
  it('sometimes injects two faults of different parts at once', async () => {
    const { log } = await run([fault('a', 'redis'), fault('b', 'postgres')], { injected: 60 });
    expect(log.join(' ')).toMatch(/begin (a begin b|b begin a)/);
  });

  it('injects nothing beside an exclusive fault, nor within its bound', async () => {
    const alone = fault('alone', 'redis', { isAlone: true, bounds: ['older-data'] });
    const { log } = await run([alone, fault('b', 'postgres')], { injected: 60 });
    const text = log.join(' ');
    expect(text).not.toMatch(/begin \w+ begin/);
    expect(log.filter((line) => line === 'begin alone').length).toBeGreaterThan(10);
    expect(text.replaceAll(`begin alone end alone hold ${restMs}`, '')).not.toContain('alone');
  });

  it.each<[WritePolicy, boolean]>([
    ['commit', true],
    ['refuse', false],
  ])('allows unpublished writes under the policy %s: %s', async (policy, isAllowed) => {
    let isCovered: boolean | undefined;
    const probe = fault('probe', 'redis', {
      bounds: ['unpublished'],
      run: async ({ figures, nowMs }) => {
        isCovered = figures.bounds.covers({ fromMs: nowMs(), untilMs: nowMs() });
        return '';
      },
    });
    await run([probe], { injected: 1, policy });
    expect(isCovered).toBe(isAllowed);
  });
});
