/**
 * The built service, with a memory for answers of BENCH_L1_BYTES: its environment takes no less than
 * a megabyte, and with a single byte every hit comes out of Redis. SIGUSR2 writes what the heap holds
 * after a collection.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { createApp } from '../../../src/app.js';
import type { readConfig } from '../../../src/config/environment.js';
import { setting, settings } from './settings.js';

interface ServiceModules {
  readonly createApp: typeof createApp;
  readonly readConfig: typeof readConfig;
}

async function service(): Promise<ServiceModules> {
  const folder = new URL('../../../dist/', import.meta.url);
  const app = (await import(new URL('app.js', folder).href)) as Pick<ServiceModules, 'createApp'>;
  const environment = (await import(new URL('config/environment.js', folder).href)) as Pick<
    ServiceModules,
    'readConfig'
  >;
  return { createApp: app.createApp, readConfig: environment.readConfig };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  // What the first collection has finalised is freed by the second.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stdout.write(`heap ${JSON.stringify({ heapUsed, arrayBuffers })}\n`);
});

const { createApp: create, readConfig: read } = await service();
const app = await create({ ...read(), cacheL1Bytes: Number(setting('BENCH_L1_BYTES')) });
const { host, port } = settings();
await app.listen(port, host);
