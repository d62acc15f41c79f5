/**
 * The built service, with a memory for answers of BENCH_L1_BYTES: its environment takes no less than
 * a megabyte, and with a single byte every hit comes out of Redis. SIGUSR2 writes what the heap holds
 * after a collection.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { builtModule } from './built-service.js';
import { setting, settings } from './settings.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  // The second collection frees the objects that the first one has finalised.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stdout.write(`heap ${JSON.stringify({ heapUsed, arrayBuffers })}\n`);
});

const { createApp } = await builtModule<typeof import('../../../src/app.js')>('app.js');
const { readConfig } =
  await builtModule<typeof import('../../../src/config/environment.js')>('config/environment.js');
const app = await createApp({ ...readConfig(), cacheL1Bytes: Number(setting('BENCH_L1_BYTES')) });
const { host, port } = settings();
await app.listen(port, host);
