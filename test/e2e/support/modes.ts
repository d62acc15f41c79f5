/** The two ways to run the cache, which clients must not be able to distinguish. */
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
