/** The recovery from an election: another server of Redis has become a primary. */
import type { Member } from '../member.js';
import type { FaultContext } from './fault.js';
import { asOtherClient, untilHit, writeRow } from './outside-row.js';

const RECOVERY_LIMIT_MS = 30_000;

/**
 * Writes a row, and waits until every instance answers it from the cache. What was cached before the election does not
 * have this row, so an answer that an instance still gives without knowing of the election does not count.
 */
export async function recoveryFromElection(
  context: FaultContext,
  kind: string,
  members: readonly Member[] = context.system.members,
): Promise<string> {
  const { figures, nowMs, stopping } = context;
  const electedMs = nowMs();
  const email = await asOtherClient(context, writeRow);
  const late = await untilHit(context, email, { members, limitMs: RECOVERY_LIMIT_MS });
  if (stopping.aborted) return 'recovery not seen';
  const recoveredMs = nowMs() - electedMs;
  if (late.length > 0) {
    const instances = late.map(({ index }) => index).join(', ');
    const limit = `${RECOVERY_LIMIT_MS / 1000} s`;
    figures.hangs.push(
      `No hits of instances ${instances} within ${limit} after the election: ${kind}`,
    );
    return `no hits within ${limit}`;
  }
  figures.elections.push({ kind, recoveredMs });
  return `hits ${recoveredMs.toFixed(0)} ms after the election`;
}
