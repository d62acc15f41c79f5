import type { InjectionToken } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import { TriggerKeeper } from '../typeorm/triggers/trigger-keeper.js';
import { QueryCache } from './query-cache.js';
import { readSideToken, type ReadSide } from './read-side.js';
import { getCacheToken } from './tokens.js';

/** The cache of one data source. */
export interface FoundCache {
  readonly read: ReadSide;
  /** The parts of the write side; `undefined`: nothing is written over the data source. */
  readonly relay: OutboxRelay | undefined;
  readonly triggers: TriggerKeeper | undefined;
}

const READ_SIDE = String(readSideToken(''));

/**
 * The caches of all data sources of the application, once its providers exist; none where a test provides a `QueryCache`
 * in place of the module.
 *
 * @param forModule the module that needs one.
 * @throws Error if there is none
 */
export function allCaches(discovery: DiscoveryService, forModule: string): readonly FoundCache[] {
  const providers = discovery.getProviders();
  const instanceOf = (token: InjectionToken): unknown =>
    providers.find((provider) => provider.token === token)?.instance;
  const reads = providers
    .filter(({ token }) => typeof token === 'string' && token.startsWith(READ_SIDE))
    .map(({ instance }) => instance as ReadSide);
  if (reads.length === 0 && !instanceOf(QueryCache)) {
    throw new Error(`${forModule} finds no cache: import QueryCacheModule.forRoot() beside it.`);
  }
  return reads.map((read) => ({
    read,
    relay: instanceOf(getCacheToken(OutboxRelay, read.name)) as OutboxRelay | undefined,
    triggers: instanceOf(getCacheToken(TriggerKeeper, read.name)) as TriggerKeeper | undefined,
  }));
}
