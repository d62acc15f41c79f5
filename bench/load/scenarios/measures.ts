import { bentocache, cacheManagerRedis, tidemark, tidemarkModules } from '../contenders/index.js';
import type { Measures } from '../report/targets.js';
import { foundOf, ratioOf, type Measured } from './measurement.js';

/** Ratios of the last table's contenders to another contender in a scenario, at a number of connections. */
export function besides(
  name: 'perSecond' | 'p50Ms',
  found: readonly Measured[],
  other: string,
  connections: number,
): Measures {
  const of = ({ id }: { readonly id: string }) =>
    ratioOf(name, foundOf(found, id, connections), foundOf(found, other, connections));
  return {
    service: of(tidemark),
    modules: of(tidemarkModules),
    bentocache: of(bentocache),
    cacheManager: of(cacheManagerRedis),
  };
}
