/**
 * The built service. On TRACE_PORT it also answers the names of those files in its dist/ and the library's of which a
 * function was called since the last request. A call counts when it begins, not when it continues.
 */
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const built = ['dist/', 'packages/tidemark/dist/'].map(
  (path) => new URL(path, pathToFileURL(root)).href,
);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

async function enteredFiles() {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => built.some((folder) => url.startsWith(folder)))
    .filter(({ functions }) => functions.some(({ ranges }) => ranges[0].count > 0))
    .map(({ url }) => relative(root, fileURLToPath(url)));
}

createServer((_, response) => {
  void enteredFiles().then((files) => response.end(JSON.stringify(files)));
}).listen(Number(process.env.TRACE_PORT), '127.0.0.1');

await import(new URL('dist/main.js', pathToFileURL(root)));
