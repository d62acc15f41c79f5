import type { Contender } from '../contenders/contender.js';
import { tidemark } from '../contenders/index.js';
import { RunningContender, type StartOptions } from '../contenders/running.js';
import type { Servers } from '../harness/servers.js';
import type { Bench } from './scenario.js';

/** Lends contenders, started one after another, and ends them all. */
export async function together<T>(
  contenders: readonly Contender[],
  servers: Servers,
  options: StartOptions,
  work: (running: readonly RunningContender[]) => Promise<T>,
): Promise<T> {
  const running: RunningContender[] = [];
  try {
    for (const contender of contenders) {
      running.push(await RunningContender.start(contender, servers, options));
    }
    return await work(running);
  } finally {
    for (const one of running.reverse()) await one.stop();
  }
}

/** Lends instances of the service that share a database and a Redis, and ends them all. */
export async function withInstances<T>(
  { servers }: Bench,
  count: number,
  work: (instances: readonly RunningContender[]) => Promise<T>,
): Promise<T> {
  const first = await RunningContender.start(tidemark, servers, { rows: 10 });
  const others: RunningContender[] = [];
  try {
    while (others.length < count - 1) {
      const options = { rows: 10, place: first.place };
      others.push(await RunningContender.start(tidemark, servers, options));
    }
    return await work([first, ...others]);
  } finally {
    for (const one of others) await one.stop();
    await first.stop();
  }
}
