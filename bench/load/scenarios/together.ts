import type { Contender } from '../contenders/contender.js';
import { RunningContender, type StartOptions } from '../contenders/running.js';
import type { Servers } from '../stand/servers.js';

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
