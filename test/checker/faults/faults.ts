/** Every kind of fault that the checker injects. */
import { clusterRestarted } from './cluster/all-restarted.js';
import { replicaPromoted } from './cluster/replica-promoted.js';
import { killedDuringMove, moveAborted, nodeAdded, slotsMoved } from './cluster/slots-moved.js';
import { clientFaults } from './client-faults.js';
import type { CheckOptions, RedisKind } from '../options.js';
import type { Fault } from './fault.js';
import { fillTerminated } from './fill-terminated.js';
import { instanceFaults } from './instance-faults.js';
import { postgresFaults } from './postgres-faults.js';
import { postgresSilent } from './postgres-silent.js';
import { redisDatabasesSwapped } from './redis-databases-swapped.js';
import { redisDumpReloaded } from './redis-dump-reloaded.js';
import { redisEmptiedTwice } from './redis-emptied-twice.js';
import { redisFaults } from './redis-faults.js';
import { redisMarkDeleted } from './redis-mark-deleted.js';
import { redisProxySwitched } from './redis-proxy-switched.js';
import { redisPurged } from './redis-purged.js';
import { redisReplicatesBack } from './redis-replicates-back.js';
import { redisTablesDeleted } from './redis-tables-deleted.js';
import { openTransaction } from './open-transaction.js';
import { partition, partitionUnsafe } from './sentinel/partition.js';
import { primaryReplaced } from './sentinel/primary-replaced.js';
import { sentinelsKilled } from './sentinel/sentinels-killed.js';
import { triggersDisabled } from './triggers-disabled.js';
import { writerCutOff } from './writer-cut-off.js';
import { writerStopped } from './writer-stopped.js';

const FAULTS: readonly Fault[] = [
  ...instanceFaults,
  ...redisFaults,
  ...postgresFaults,
  ...clientFaults,
  redisEmptiedTwice,
  redisPurged,
  redisTablesDeleted,
  redisMarkDeleted,
  redisReplicatesBack,
  redisDatabasesSwapped,
  redisDumpReloaded,
  redisProxySwitched,
  openTransaction,
  triggersDisabled,
  fillTerminated,
  postgresSilent,
  writerStopped,
  writerCutOff,
  ...primaryReplaced,
  sentinelsKilled,
  partition,
  partitionUnsafe,
  ...replicaPromoted,
  slotsMoved,
  moveAborted,
  killedDuringMove,
  nodeAdded,
  clusterRestarted,
];

/** The faults of a run. */
export function faultsOf({
  faults,
  redis,
  only,
}: Pick<CheckOptions, 'faults' | 'redis' | 'only'>): readonly Fault[] {
  const kinds = faultsOn(redis).filter(({ kind }) => kind.includes(only));
  if (faults === 'quick') return kinds.filter(({ isQuick }) => isQuick);
  if (faults === 'own') return kinds.filter(({ on }) => on?.length === 1);
  return faults === 'all' ? kinds : [];
}

/** Those that the kind of Redis can have. */
export function faultsOn(redis: RedisKind): readonly Fault[] {
  return FAULTS.filter(({ on }) => on === undefined || on.includes(redis));
}
