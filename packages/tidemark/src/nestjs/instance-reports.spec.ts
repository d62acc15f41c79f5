/** Instances in one process that share a board in memory. */
import { afterEach, expect, it } from 'vitest';
import { MemoryInstanceBoard } from '../core/memory/memory-instance-board.js';
import { CacheEvents } from '../core/ports/cache-events.js';
import { InstanceReports, type InstanceReportsParts } from './instance-reports.js';
import { resolveOptions, type QueryCacheModuleOptions } from './query-cache.options.js';

const closing: (() => Promise<void>)[] = [];

interface Given {
  readonly board: MemoryInstanceBoard;
  readonly options?: QueryCacheModuleOptions;
  readonly problem?: string;
  readonly events?: CacheEvents;
}

/** An instance that has published once, and does not again. */
async function started(given: Given) {
  const { board, problem, events = new CacheEvents() } = given;
  const options = resolveOptions({ release: 'test', ...given.options });
  const core = { mode: options.mode, local: { bytes: 0, size: 0 } };
  const reports = new InstanceReports({
    ...{ name: 'default', events, board, core, options },
    health: {
      awaitedTransactions: new Map(),
      check: () =>
        problem === undefined ? { status: 'up' } : { status: 'degraded', detail: problem },
    },
    versions: { tables: async () => [], marks: async () => [] },
    degradations: () => [problem],
    beforeClose: (step: () => Promise<void>) => void closing.push(step),
    clock: { nowMs: () => Date.now() },
    timers: { after: () => () => undefined },
    log: { log: () => undefined, warn: () => undefined },
  } as unknown as InstanceReportsParts);
  return { reports, core };
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

it('a report with a long problem and many tables is read by the others', async () => {
  const board = new MemoryInstanceBoard();
  const { reports: one } = await started({ board });
  const { reports: other } = await started({ board, problem: 'The triggers of … '.repeat(2_000) });
  const states = Array.from({ length: 2_000 }, (_, n) => ({
    table: `public.table_${n}`,
    state: n < 1_999 ? ('installed' as const) : ('missing' as const),
  }));
  other.addWriteSide({
    relay: { state: 'relaying', backlog: undefined },
    triggers: { states: async () => states },
  });
  await other.start();
  const [, seen] = await one.all();
  expect(seen?.health.detail).toMatch(/^The triggers of/);
  expect(seen?.doubt.problems).toEqual([seen?.health.detail]);
  expect(seen?.doubt.triggers[0]).toEqual(states.at(-1));
});

it('the option shadow stays in force where serve is the shared mode', async () => {
  const board = new MemoryInstanceBoard();
  await board.setMode('serve');
  const { reports, core } = await started({ board, options: { mode: 'shadow' } });
  await reports.start();
  expect(core.mode).toBe('shadow');
  await expect(reports.setMode('serve')).rejects.toThrow("`mode: 'shadow'`");
  const { reports: other } = await started({ board });
  await other.setMode('shadow');
  expect(await board.publish('x', '1', 1_000)).toBe('shadow');
});
