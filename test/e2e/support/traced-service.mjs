/**
 * The built service, and beside it on TRACE_PORT the names of the files of dist/ of which a function was
 * called since they were asked for last. A function counts where it begins, not where it goes on.
 */
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

async function enteredFiles() {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => url.startsWith(pathToFileURL(dist).href))
    .filter(({ functions }) => functions.some(({ ranges }) => ranges[0].count > 0))
    .map(({ url }) => relative(dist, fileURLToPath(url)));
}

createServer((_, response) => {
  void enteredFiles().then((files) => response.end(JSON.stringify(files)));
}).listen(Number(process.env.TRACE_PORT), '127.0.0.1');

await import(new URL('main.js', pathToFileURL(dist)));
