/** A replica takes the place of its primary, in each of the ways that lead to that. */
import type { RedisServer } from '../../../support/redis-server.js';
import { recoveryFromElection } from '../election.js';
import { seconds, type Fault, type FaultContext } from '../fault.js';
import { cutOffReplicas, redisCommand } from '../redis-client.js';
import { clusterOf } from './cluster-of.js';

interface Pair {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
}

interface Promotion {
  readonly kind: string;
  /** Returns details. */
  readonly begin: (context: FaultContext, pair: Pair) => Promise<string>;
  /** Mends the former primary, which then follows the new one. */
  readonly mend: (pair: Pair) => Promise<void>;
}

/** Not with an older dump: a node that finds keys of a slot which has left it since opens that slot again. */
const restart = ({ primary }: Pair): Promise<void> => primary.restart({ empty: true });

const promotions: readonly Promotion[] = [
  {
    kind: 'primary of the cluster killed',
    begin: async (_, { primary }) => {
      await primary.kill();
      return '';
    },
    mend: restart,
  },
  {
    kind: 'primary of the cluster paused until its replica takes over',
    begin: async (_, { primary }) => {
      primary.pause();
      return '';
    },
    mend: async ({ primary }) => primary.resume(),
  },
  {
    kind: 'CLUSTER FAILOVER',
    begin: async (context, { replica }) => {
      const words = context.random.pick([[], ['FORCE'], ['TAKEOVER']]);
      await redisCommand(replica, 'CLUSTER', 'FAILOVER', ...words);
      return `${words.join()} `;
    },
    mend: async () => undefined,
  },
  {
    kind: 'primary of the cluster killed whose replica lacks the last writes',
    begin: async (context, { primary, replica }) => {
      const lagMs = context.random.integer(100, 1_500);
      await cutOffReplicas(primary);
      await context.hold(lagMs);
      await primary.kill();
      await redisCommand(replica, 'CLUSTER', 'FAILOVER', 'TAKEOVER');
      return `those of ${seconds(lagMs)}; `;
    },
    mend: restart,
  },
];

export const replicaPromoted: readonly Fault[] = promotions.map(({ kind, begin, mend }) => ({
  kind,
  part: 'redis',
  on: ['cluster'],
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async (context) => {
    const { random, hold } = context;
    const { cluster } = clusterOf(context);
    const primary = await anyPrimary(context);
    const pair = { primary, replica: await cluster.replicaOf(primary) };
    const backMs = random.integer(0, 1_500);
    const detail = await begin(context, pair);
    await cluster.hasTakenOver(pair.replica);
    const mended = hold(backMs).then(() => mend(pair));
    const [recovery] = await Promise.all([recoveryFromElection(context, kind), mended]);
    return `${detail}${recovery}; the former primary back after ${seconds(backMs)}`;
  },
}));

/** Mostly the one with the keys of the users. */
async function anyPrimary(context: FaultContext): Promise<RedisServer> {
  const redis = clusterOf(context);
  if (context.random.chance(0.7)) return redis.primary();
  return context.random.pick(await redis.cluster.primaries());
}
