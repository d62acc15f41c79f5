import type { InjectionToken } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { readSideToken, type ReadSide } from '../nestjs/read-side.js';
import { getCacheToken } from '../nestjs/tokens.js';
import { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import { TriggerKeeper } from '../typeorm/triggers/trigger-keeper.js';
import type { Labels } from './collected-metric.js';

/** The cache of one data source. */
export interface MeasuredCache {
  /** `data_source`, if there are several. */
  readonly labels: Labels;
  readonly read: ReadSide;
  /** The parts of the write side; `undefined`: nothing is written over the data source. */
  readonly relay: OutboxRelay | undefined;
  readonly triggers: TriggerKeeper | undefined;
}

const READ_SIDE = String(readSideToken(''));

/** @throws Error if there is none */
export function findCaches(discovery: DiscoveryService): readonly MeasuredCache[] {
  const providers = discovery.getProviders();
  const instanceOf = (token: InjectionToken): unknown =>
    providers.find((provider) => provider.token === token)?.instance;
  const reads = providers
    .filter(({ token }) => typeof token === 'string' && token.startsWith(READ_SIDE))
    .map(({ instance }) => instance as ReadSide);
  if (reads.length === 0) {
    throw new Error(
      'CacheMetricsModule has no cache to measure: import QueryCacheModule.forRoot() beside it.',
    );
  }
  return reads.map((read) => ({
    labels: reads.length > 1 ? { data_source: read.name } : {},
    read,
    relay: instanceOf(getCacheToken(OutboxRelay, read.name)) as OutboxRelay | undefined,
    triggers: instanceOf(getCacheToken(TriggerKeeper, read.name)) as TriggerKeeper | undefined,
  }));
}
