/** The answers to a write while Redis is away, under the two values of CACHE_WRITE_POLICY. */
import { expect } from 'vitest';
import { expectProblem } from '../../e2e/support/problem.js';
import type { FaultCluster } from './fault-cluster.js';
import type { Member } from './member.js';
import { counted } from './redis-trouble.js';
import type { Register } from './register.js';
import { waitingRows } from './relaying.js';

/** 503 with Retry-After; nothing is changed, and the refusal is counted. */
export async function expectRefused(
  cluster: FaultCluster,
  refusing: Member,
  { id, path }: Register,
): Promise<void> {
  const users = () =>
    cluster.sql<{ id: number; region: string }>('SELECT * FROM users ORDER BY id');
  const before = await users();
  const refused = await counted(refusing, 'refused_writes_total');
  const { instance } = refusing;
  const user = { region: 'NEVER', email: 'never@example.com' };
  const region = before.find((each) => each.id === id)?.region;
  const batch = ['never', 'ever'].map((username) => ({ username, ...user }));
  for (const answer of [
    await refusing.patch(path, user),
    await instance.post(`/regions/${region}/move`, { to: 'NEVER' }),
    await instance.post('/users', { username: 'never', ...user }),
    await instance.post('/users/batch', { users: batch }),
    await instance.delete(path),
  ]) {
    expectProblem(answer, 503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  }
  expect(await users()).toEqual(before);
  expect(await waitingRows(cluster)).toBe(0);
  expect(await counted(refusing, 'refused_writes_total')).toBeGreaterThan(refused);
}

/** 200; the row is stored, and the write is counted as unpublished. */
export async function expectUnpublished(writer: Member, register: Register): Promise<void> {
  const unpublished = await counted(writer, 'unpublished_writes_total');
  expect((await register.write(writer)).status).toBe(200);
  expect(await register.stored()).toBe(register.highest);
  expect(await counted(writer, 'unpublished_writes_total')).toBeGreaterThan(unpublished);
}
