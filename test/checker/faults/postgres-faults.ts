import { seconds, type Fault, type FaultContext } from './fault.js';

async function restart(
  { system, random, hold }: FaultContext,
  end: () => Promise<void>,
): Promise<string> {
  const ms = random.integer(0, 800);
  system.database.isAway = true;
  try {
    await end();
    await hold(ms);
    await system.postgres.restart();
  } finally {
    system.database.isAway = false;
  }
  return `back after ${seconds(ms)}`;
}

export const postgresFaults: readonly Fault[] = [
  {
    kind: 'database sessions terminated',
    part: 'postgres',
    isQuick: true,
    run: async ({ system }) => `${await system.terminateSessions()} sessions`,
  },
  {
    kind: 'PostgreSQL restarted, fast',
    part: 'postgres',
    isQuick: true,
    run: (context) => restart(context, async () => undefined),
  },
  {
    kind: 'PostgreSQL killed',
    part: 'postgres',
    isQuick: false,
    run: (context) => restart(context, () => context.system.postgres.kill()),
  },
];
