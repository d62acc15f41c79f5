import { seconds, type Fault, type FaultContext } from './fault.js';

/** The lease of a write's mark, as instances have it when nothing else is set. */
const LEASE_MS = 2_000;

async function pauseInstance(context: FaultContext, ms: number): Promise<string> {
  const member = context.random.pick(context.system.members);
  member.pause();
  try {
    await context.hold(ms);
  } finally {
    member.resume();
  }
  return `instance ${member.index} for ${seconds(ms)}`;
}

export const instanceFaults: readonly Fault[] = [
  {
    kind: 'instance killed',
    part: 'instance',
    isQuick: true,
    run: async (context) => {
      const member = context.random.pick(context.system.members);
      const ms = context.random.integer(0, 1_500);
      await member.kill();
      await context.hold(ms);
      await member.start();
      return `instance ${member.index}, started again after ${seconds(ms)}`;
    },
  },
  {
    kind: 'instance paused',
    part: 'instance',
    isQuick: true,
    run: (context) => pauseInstance(context, context.random.integer(100, LEASE_MS - 500)),
  },
  {
    kind: 'instance paused beyond the lease',
    part: 'instance',
    isQuick: false,
    run: (context) => pauseInstance(context, context.random.integer(LEASE_MS + 300, 6_000)),
  },
];
