import { PAGE_TOKEN } from '../applications/settings.js';
import type { Contender } from './contender.js';

const ONE_BYTE = '1';

export const noCache: Contender = {
  id: 'no-cache',
  title: 'no cache',
  source: 'database',
  application: 'no-cache',
};

/** In its sessions the triggers report writes by notices, as in the service's. */
export const protocolFloor: Contender = {
  id: 'protocol-floor',
  title: "no cache, the protocol's round trips",
  source: 'database',
  application: 'protocol-floor',
  env: () => ({ PGOPTIONS: '-c tidemark.publishes=tidemark' }),
};

export const seedDecorator: Contender = {
  id: 'seed-decorator',
  title: 'hand-written Redis decorator',
  source: 'shared cache',
  application: 'seed-decorator',
};

export const typeormCache: Contender = {
  id: 'typeorm-cache',
  title: 'TypeORM cache (Redis)',
  source: 'shared cache',
  application: 'typeorm-cache',
};

export const cacheManagerMemory: Contender = {
  id: 'cache-manager-memory',
  title: '@nestjs/cache-manager (memory)',
  source: 'process memory',
  application: 'cache-manager',
};

export const cacheManagerRedis: Contender = {
  id: 'cache-manager-redis',
  title: '@nestjs/cache-manager (Redis)',
  source: 'shared cache',
  application: 'cache-manager',
  env: () => ({ BENCH_STORE: 'redis' }),
};

export const bentocache: Contender = {
  id: 'bentocache',
  title: 'bentocache (L1 + L2 + bus)',
  source: 'shared cache',
  application: 'bentocache',
};

export const tidemark: Contender = {
  id: 'tidemark',
  title: 'Tidemark, service (memory + Redis)',
  source: 'tidemark',
  env: ({ redisUrl }) => ({ REDIS_URL: redisUrl }),
  hitStatus: /^tidemark; hit;.*detail=L1$/,
};

/** With the page. */
export const tidemarkPage: Contender = {
  ...tidemark,
  id: 'tidemark-page',
  title: 'Tidemark, service, page open',
  env: ({ redisUrl }) => ({ REDIS_URL: redisUrl, CACHE_ADMIN_TOKEN: PAGE_TOKEN }),
};

/** In the application that the peers are in. */
export const tidemarkModules: Contender = {
  id: 'tidemark-modules',
  title: "Tidemark's modules (memory + Redis)",
  source: 'tidemark',
  application: 'tidemark-modules',
  hitStatus: /^tidemark; hit;.*detail=L1$/,
};

export const tidemarkInterceptor: Contender = {
  id: 'tidemark-interceptor',
  title: 'Tidemark by CacheInterceptor',
  source: 'tidemark',
  application: 'tidemark-interceptor',
  hitStatus: /^tidemark; hit;.*detail=L1$/,
};

export const tidemarkL2: Contender = {
  id: 'tidemark-l2',
  title: 'Tidemark (Redis alone)',
  source: 'tidemark',
  application: 'tidemark',
  env: ({ redisUrl }) => ({ REDIS_URL: redisUrl, BENCH_L1_BYTES: ONE_BYTE }),
  hitStatus: /^tidemark; hit;.*detail=L2$/,
};

export const tidemarkInProcess: Contender = {
  id: 'tidemark-in-process',
  title: 'Tidemark (in process)',
  source: 'tidemark',
  env: () => ({ REDIS_URL: '' }),
  hitStatus: /^tidemark; hit;.*detail=L1$/,
};

export const nestConstant: Contender = {
  id: 'nest-constant',
  title: 'Nest constant',
  source: 'constant',
  application: 'nest-constant',
};

export const nestConstantIntercepted: Contender = {
  id: 'nest-constant-intercepted',
  title: 'Nest constant, no-op interceptor',
  source: 'constant',
  application: 'nest-constant',
  env: () => ({ BENCH_EXTRAS: 'interceptor' }),
};

export const edgeConstant: Contender = {
  id: 'edge-constant',
  title: "Nest constant, the service's edge",
  source: 'constant',
  application: 'edge-constant',
};

export const fastifyConstant: Contender = {
  id: 'fastify-constant',
  title: 'bare Fastify constant',
  source: 'constant',
  application: 'fastify-constant',
};

export const nestCompressed: Contender = {
  id: 'nest-compressed',
  title: 'Nest constant, @fastify/compress',
  source: 'constant',
  application: 'nest-constant',
  env: () => ({ BENCH_EXTRAS: 'compress' }),
};

export const nestNotModified: Contender = {
  id: 'nest-not-modified',
  title: 'Nest 304, no-op interceptor',
  source: 'constant',
  application: 'nest-not-modified',
  readyPath: '/users/ready',
};

export const CONTENDERS: readonly Contender[] = [
  noCache,
  protocolFloor,
  seedDecorator,
  typeormCache,
  cacheManagerMemory,
  cacheManagerRedis,
  bentocache,
  tidemark,
  tidemarkModules,
  tidemarkInterceptor,
  tidemarkL2,
  tidemarkInProcess,
  nestConstant,
  nestConstantIntercepted,
  edgeConstant,
  fastifyConstant,
  nestCompressed,
  nestNotModified,
];
