import autocannon from 'autocannon';
import { createRequire } from 'node:module';
import type { Load, LoadGenerator, LoadResult } from './load.js';
import { percentile } from './percentile.js';

const { version } = createRequire(import.meta.url)('autocannon/package.json') as {
  version: string;
};

/** autocannon, run in the process of the bench. */
export const autocannonGenerator: LoadGenerator = { title: `autocannon ${version}`, run };

async function run(load: Load): Promise<LoadResult> {
  // autocannon's own histogram knows whole milliseconds only.
  const latenciesMs: number[] = [];
  const started = performance.now();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(optionsOf(load), (error: unknown, found) => {
      if (error instanceof Error) reject(error);
      else resolve(found);
    });
    instance.on('response', (_client, _status, _bytes, latencyMs) => latenciesMs.push(latencyMs));
  });
  const seconds = (performance.now() - started) / 1000;
  const failures = result.errors + result['4xx'] + result['5xx'];
  if (failures > 0) throw new Error(`${failures} requests to ${load.url} failed`);
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    requests: sorted.length,
    seconds,
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
  };
}

function optionsOf({
  url,
  paths,
  method = 'GET',
  headers,
  body,
  ...load
}: Load): autocannon.Options {
  const [only = '/'] = paths;
  const shared = {
    connections: load.connections,
    duration: load.seconds,
    ...(load.perSecond === undefined ? {} : { overallRate: load.perSecond }),
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
  };
  if (paths.length === 1) return { ...shared, url: url + only };
  let next = 0;
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    const path = paths[next++ % paths.length] ?? only;
    return { ...request, path };
  };
  return { ...shared, url, requests: [{ setupRequest }] };
}
