import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.js';
import { asOtherClient } from './outside-row.js';
import { SESSION_PREFIX } from '../member.js';

const PATIENCE_MS = 2_000;
const POLL_MS = 5;

/** One that waits for the lock of the other client, and so is in the middle of its query. */
const TERMINATE = `
SELECT pg_terminate_backend(pid) FROM (
  SELECT pid FROM pg_stat_activity
   WHERE starts_with(application_name, '${SESSION_PREFIX}') AND state = 'active'
     AND wait_event_type = 'Lock' AND query ~* '^\\s*select' LIMIT 1) AS filling`;

export const fillTerminated: Fault = {
  kind: 'session terminated during a fill',
  part: 'postgres',
  isQuick: true,
  run: (context) =>
    asOtherClient(context, async (client) => {
      const { figures, random, nowMs, stopping } = context;
      const times = random.integer(1, 4);
      const before = figures.failedReads.of('503');
      let terminated = 0;
      await client.query(`SET lock_timeout = ${PATIENCE_MS}`);
      for (let round = 0; round < times && !stopping.aborted; round += 1) {
        await client.query('BEGIN');
        try {
          await client.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
          const endMs = nowMs() + PATIENCE_MS;
          for (let isFound = false; !isFound && nowMs() < endMs;) {
            isFound = (await client.query(TERMINATE)).rows.length > 0;
            if (isFound) terminated += 1;
            else await delay(POLL_MS);
          }
        } catch {
          // Others hold the table, or the server has gone away.
        }
        await client.query('ROLLBACK').catch(() => undefined);
      }
      return `${terminated} sessions, ${figures.failedReads.of('503') - before} reads answered 503`;
    }),
};
