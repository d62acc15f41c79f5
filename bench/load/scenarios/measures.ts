import { bentocache, cacheManagerRedis, tidemark, tidemarkModules } from '../contenders/index.js';
import type { Measures } from '../report/targets.js';
import { foundOf, ratioOf, type Measured } from './measurement.js';

/** What the last table has of a scenario, at a number of connections: each of its columns beside one contender. */
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
