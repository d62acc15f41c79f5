import type { DataSource } from 'typeorm';
import { WriterActivity, type WritingTransaction } from '../../core/ports/writer-activity.js';
import { askPrimary } from './own-question.js';
import { IS_STANDBY, StandbyError } from '../../postgres/standby.js';
import type { StandbyWatch } from './standby-watch.js';

/**
 * The advisory lock (two 32-bit keys) that a session holds, shared, around an autonomous statement: no transaction
 * identifies such a statement as a writer.
 */
export const AUTONOMOUS_STATEMENT_LOCK: number[] = [0x74696465, 0x6d61726b];

/**
 * Every role can see `backend_xid`, `pid` and `application_name`, but not `xact_start`. A transaction has a
 * `backend_xid` from its first write until others can see its outcome, also while its COMMIT waits for a standby. A
 * statement under the lock outlasts the transactions that it commits, so their ids are ignored. A standby knows none of
 * the transactions on its primary, so it reports itself as a standby in a row.
 */
const WRITERS = `
  SELECT a.pid, CASE WHEN l.pid IS NULL THEN a.backend_xid::text ELSE 'autonomous' END AS id,
         a.application_name AS application,
         pg_catalog.to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
  FROM pg_catalog.pg_stat_activity a
  LEFT JOIN pg_catalog.pg_locks l
    ON l.pid = a.pid AND l.locktype = 'advisory' AND l.granted
      AND l.classid = $1::int8::oid AND l.objid = $2::int8::oid AND l.objsubid = 2
  WHERE a.datname = current_database() AND (a.backend_xid IS NOT NULL OR l.pid IS NOT NULL)
  UNION ALL SELECT 0, NULL, NULL, NULL WHERE ${IS_STANDBY}`;

type Row = { pid: number; id: string; application: string | null; since: string | null };

export class PostgresWriterActivity extends WriterActivity {
  constructor(
    private readonly source: DataSource,
    private readonly standby: StandbyWatch,
  ) {
    super();
  }

  /** @throws StandbyError */
  override async writers(): Promise<ReadonlyMap<number, WritingTransaction>> {
    const rows = (await askPrimary(this.source, WRITERS, AUTONOMOUS_STATEMENT_LOCK)) as Row[];
    if (rows.some(({ pid }) => pid === 0)) {
      this.standby.met();
      throw new StandbyError();
    }
    return new Map(
      rows.map(({ pid, id, application, since }) => [
        pid,
        { id, application: application ?? '', since: since ?? undefined },
      ]),
    );
  }
}
