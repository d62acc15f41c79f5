/** Real: PostgreSQL. */
import { expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase } from '../support/shared-postgres.js';
import { DatabaseView } from './database-view.js';

it('answers after its connection broke while idle', async () => {
  const url = await createDatabase();
  const [view, other] = [new DatabaseView(url), new DatabaseView(url)];
  try {
    expect(await view.sessions('nobody')).toBe(0);
    // Its own is among them.
    await other.terminate('checker').catch(() => undefined);
    await delay(50);
    expect(await view.sessions('nobody')).toBe(0);
  } finally {
    await Promise.all([view.close(), other.close()]);
  }
});
