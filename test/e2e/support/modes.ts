/** The two ways to run the cache; what a client sees must not depend on which. */
import { RedisServer } from '../../support/redis-server.js';

export interface Mode {
  readonly name: string;
  /** The cache's server, where the mode has one, to be stopped by the caller. */
  startCache(): Promise<RedisServer | undefined>;
}

export const modes: readonly Mode[] = [
  { name: 'in process', startCache: async () => undefined },
  { name: 'Redis', startCache: () => RedisServer.start() },
];
