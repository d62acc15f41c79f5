/** Answers that are stored while users are written. */
import type { RunningContender } from '../contenders/running.js';

const ALL = '/users?limit=1000';
const ONE_REGION = '/users?limit=100&region=R0';

export async function storePages(running: readonly RunningContender[]): Promise<void> {
  for (const one of running) await one.askAll([ALL, ONE_REGION], 1);
}

/** @throws Error when a write leaves the stored answer of all users as it was. */
export async function expectPagesEnded(
  running: RunningContender,
  write: () => Promise<void>,
): Promise<void> {
  await storePages([running]);
  await write();
  const before = await running.statements();
  await running.askAll([ALL], 1);
  const after = await running.statements();
  if (after.reads > before.reads) return;
  throw new Error(`${running.contender.title} answers from its cache after a write`);
}
