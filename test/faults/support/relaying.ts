/** Checks of specs about writers outside the service. */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.js';
import type { FaultCluster } from './fault-cluster.js';
import { allHit, HEALING_LIMIT_MS } from './healing.js';
import type { Member } from './member.js';
import { OUTBOX } from './outbox.js';
import { Register } from './register.js';

/** First half of the key of the advisory lock that the relay has. */
const RELAY_LOCK = 0x74696472;

/** The running instance that relays. */
export function relayOf(cluster: FaultCluster): Promise<Member> {
  return eventually(async () => {
    const { running } = cluster;
    const states = await Promise.all(running.map(relayStateOf));
    const [relay, ...others] = running.filter((_, index) => states[index] === 'relaying');
    if (!relay || others.length > 0) throw new Error(`The relays are ${states.join(', ')}`);
    return relay;
  }, HEALING_LIMIT_MS);
}

/** `relaying`, `standby`, `absent`, or `undefined` if the instance reports that it cannot relay. */
export async function relayStateOf(member: Member): Promise<string | undefined> {
  const { json } = await member.get('/health/ready');
  const { details } = json as { details: Record<string, { relay?: string }> };
  return details['outside-writes']?.relay;
}

/** Cuts the session of the relay off in the server; returns whether there was one. */
export async function terminateRelay(cluster: FaultCluster): Promise<boolean> {
  const rows = await cluster.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND classid = $1 AND granted`,
    [RELAY_LOCK],
  );
  return rows.length > 0;
}

/** The number of rows in the outbox. */
export async function waitingRows(cluster: FaultCluster): Promise<number> {
  const [row] = await cluster.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${OUTBOX}`,
  );
  return row?.count ?? 0;
}

/** Every write past the service has been relayed. */
export async function allRelayed(cluster: FaultCluster): Promise<void> {
  await eventually(async () => expect(await waitingRows(cluster)).toBe(0), HEALING_LIMIT_MS);
}

/** Several registers, so that a write to one cannot hide a lost write to another. */
export function createRegisters(cluster: FaultCluster, count: number): Promise<Register[]> {
  return Promise.all(Array.from({ length: count }, () => Register.create(cluster)));
}

/** Every instance answers all views of all registers from its cache. */
export async function allHitAll(
  cluster: FaultCluster,
  registers: readonly Register[],
): Promise<void> {
  await Promise.all(registers.map((register) => allHit(cluster, register)));
}

/** Every running instance shows the stored rows now: the writes were relayed before. */
export async function allRight(
  cluster: FaultCluster,
  registers: readonly Register[],
): Promise<void> {
  const wrong = await Promise.all(registers.map((register) => wrongViews(cluster, register)));
  expect(wrong.flat()).toEqual([]);
}

async function wrongViews(cluster: FaultCluster, register: Register): Promise<string[]> {
  const stored = await register.stored();
  expect(stored).toBe(register.highest);
  const wrong: string[] = [];
  for (const member of cluster.running) {
    for (const view of register.views) {
      const answer = await member.get(view.path);
      if (view.shows(answer, stored)) continue;
      wrong.push(`${member.name} ${view.path}: ${stored} is stored, ${answer.body.toString()}`);
    }
  }
  return wrong;
}
