/** The columns of the table, in order. */
import { bentocacheKeys, bentocacheTags } from './bentocache.js';
import { nestCacheManager } from './nest-cache-manager.js';
import type { PeerSystem } from './peer-cache.js';
import { tidemark } from './tidemark.js';
import { typeormDatabaseCache, typeormRedisCache } from './typeorm-cache.js';

export const SYSTEMS: readonly PeerSystem[] = [
  typeormDatabaseCache,
  typeormRedisCache,
  nestCacheManager,
  bentocacheKeys,
  bentocacheTags,
  tidemark,
];
