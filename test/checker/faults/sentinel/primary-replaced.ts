/** The Sentinels elect another primary, in each of the ways that lead to that. */
import type { RedisServer } from '../../../support/redis-server.js';
import { recoveryFromElection } from '../election.js';
import { seconds, type Fault, type FaultContext } from '../fault.js';
import { sentinelsOf } from './sentinels-of.js';

/** A link that is silent for less than this does not make the Sentinels elect another primary. */
const SILENT_LIMIT_MS = 700;

interface Replacement {
  readonly kind: string;
  /** Breaks the primary; returns details. */
  readonly begin: (context: FaultContext, primary: RedisServer) => Promise<string>;
  /** Mends the former primary, which then follows the new one. */
  readonly mend: (context: FaultContext, primary: RedisServer) => Promise<void>;
}

const replacements: readonly Replacement[] = [
  {
    kind: 'primary killed',
    begin: async (_, primary) => {
      await primary.kill();
      return '';
    },
    mend: (_, primary) => primary.restart(),
  },
  {
    kind: 'primary killed after a Sentinel',
    begin: async (context, primary) => {
      await context.random.pick(sentinelsOf(context).sentinels).kill();
      await primary.kill();
      return '';
    },
    mend: async (context, primary) => {
      await primary.restart();
      const cluster = sentinelsOf(context);
      for (const sentinel of cluster.sentinels) {
        if (!sentinel.isRunning) await cluster.restartSentinel(sentinel);
      }
    },
  },
  {
    kind: 'primary killed whose replicas lack the last writes',
    begin: async (context, primary) => {
      const link = sentinelsOf(context).linkTo(primary);
      const lagMs = context.random.integer(100, SILENT_LIMIT_MS);
      link.freeze();
      await context.hold(lagMs);
      await primary.kill();
      link.cut();
      link.thaw();
      return `those of ${seconds(lagMs)}; `;
    },
    mend: (_, primary) => primary.restart(),
  },
  {
    kind: 'primary paused until another is elected',
    begin: async (_, primary) => {
      primary.pause();
      return '';
    },
    mend: async (_, primary) => primary.resume(),
  },
  {
    kind: 'SENTINEL FAILOVER',
    begin: async (context) => {
      await sentinelsOf(context).beginFailover();
      return '';
    },
    mend: async () => undefined,
  },
];

export const primaryReplaced: readonly Fault[] = replacements.map(({ kind, begin, mend }) => ({
  kind,
  part: 'redis',
  on: ['sentinel'],
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async (context) => {
    const { random, hold } = context;
    const cluster = sentinelsOf(context);
    const backMs = random.integer(0, 1_500);
    const primary = await cluster.primary();
    const detail = await begin(context, primary);
    await cluster.hasElectedAfter(primary);
    const mended = hold(backMs).then(() => mend(context, primary));
    const [recovery] = await Promise.all([recoveryFromElection(context, kind), mended]);
    return `${detail}${recovery}; the former primary back after ${seconds(backMs)}`;
  },
}));
