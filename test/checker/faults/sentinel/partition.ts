/**
 * One instance and the primary on one side, all other servers and instances on the other side, which elects another
 * primary. Every instance reaches PostgreSQL.
 */
import type { RedisServer } from '../../../support/redis-server.js';
import { DOWN_AFTER_MS, type SentinelCluster } from '../../../support/sentinel-cluster.js';
import type { TcpProxy } from '../../../support/tcp-proxy.js';
import { recoveryFromElection } from '../election.js';
import { seconds, type Fault, type FaultContext } from '../fault.js';
import { redisCommand } from '../redis-client.js';
import { sentinelsOf } from './sentinels-of.js';

/** As docs/operations.md recommends: the former primary refuses writes before another one is elected. */
const SAFE_DOWN_AFTER_MS = '5000';
const SAFE = { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '2' };
const UNSAFE = { 'min-replicas-to-write': '0', 'min-replicas-max-lag': '10' };

const KIND = 'instance cut off with the primary';

export const partition: Fault = {
  kind: `${KIND}, which refuses writes without replicas`,
  part: 'redis',
  on: ['sentinel'],
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async (context) => {
    const cluster = sentinelsOf(context);
    await configure(cluster, SAFE, SAFE_DOWN_AFTER_MS);
    try {
      return await cutOff(context, 'partition, min-replicas-to-write 1');
    } finally {
      await configure(cluster, UNSAFE, DOWN_AFTER_MS);
    }
  },
};

export const partitionUnsafe: Fault = {
  kind: `${KIND}, which accepts writes without replicas`,
  part: 'redis',
  on: ['sentinel'],
  isQuick: false,
  isAlone: true,
  bounds: ['two-primaries', 'unpublished'],
  run: (context) => cutOff(context, 'partition'),
};

async function configure(
  cluster: SentinelCluster,
  settings: Readonly<Record<string, string>>,
  downAfterMs: string,
): Promise<void> {
  for (const server of cluster.servers) {
    await redisCommand(server, 'CONFIG', 'SET', ...Object.entries(settings).flat());
  }
  await cluster.set('down-after-milliseconds', downAfterMs);
}

async function cutOff(context: FaultContext, kind: string): Promise<string> {
  const { random, system, hold } = context;
  const cluster = sentinelsOf(context);
  const primary = await cluster.primary();
  const isolated = random.pick(system.members);
  const others = system.members.filter((member) => member !== isolated);
  const cut = [
    cluster.linkTo(primary),
    ...others.map(({ routes }) => routes.redis.to(primary)),
    ...otherServers(cluster, primary).map((server) => isolated.routes.redis.to(server)),
  ];
  const heldMs = random.integer(500, 3_000);
  for (const proxy of cut) proxy.freeze();
  try {
    await cluster.hasElectedAfter(primary);
    const [recovery] = await Promise.all([
      recoveryFromElection(context, kind, others),
      hold(heldMs),
    ]);
    return `instance ${isolated.index}, for ${seconds(heldMs)} after the election; other instances: ${recovery}`;
  } finally {
    heal(cut, random.chance(0.5));
  }
}

function otherServers({ servers, sentinels }: SentinelCluster, primary: RedisServer) {
  return [...servers.filter((server) => server !== primary), ...sentinels];
}

/** @param isCut held bytes are lost; otherwise they arrive late. */
function heal(proxies: readonly TcpProxy[], isCut: boolean): void {
  for (const proxy of proxies) {
    if (isCut) proxy.cut();
    proxy.thaw();
  }
}
