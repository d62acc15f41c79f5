/** The parent's side of column.child.ts. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CellReport, ColumnOrder } from './column.child.js';
import type { Verdict } from './scenarios/verdict.js';

const CHILD = fileURLToPath(new URL('column.child.ts', import.meta.url));
const REGISTER = new URL('../register.mjs', import.meta.url).href;

/**
 * The verdicts by title. Rejects when the process ends before it has found out all. What it writes
 * goes nowhere: clients write about every connection that a scenario cuts.
 */
export async function column(
  order: ColumnOrder,
  onCell: (report: CellReport) => void,
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  const child = fork(CHILD, {
    execArgv: ['--import', REGISTER],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.on('message', (report: CellReport) => {
    verdicts.set(report.title, report.verdict);
    onCell(report);
  });
  const ended = once(child, 'exit');
  child.send(order);
  await ended;
  const missing = order.titles.find((title) => !verdicts.has(title));
  if (missing !== undefined) throw new Error(`${order.system} ended at “${missing}”`);
  return verdicts;
}
