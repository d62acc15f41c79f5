import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Load, LoadGenerator, LoadResult } from './load.js';

const SCRIPT = join(import.meta.dirname, 'wrk.lua');

/** wrk with one thread, which loads more than one Node process can answer; absent where it is not on the path. */
export function wrkGenerator(): LoadGenerator | undefined {
  const { stdout, error } = spawnSync('wrk', ['--version'], { encoding: 'utf8' });
  if (error) return undefined;
  return { title: /^wrk \S+/.exec(stdout)?.[0] ?? 'wrk', run };
}

async function run(load: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  try {
    const paths = join(folder, 'paths');
    await writeFile(paths, load.paths.join('\n'));
    const { stdout } = await promisify(execFile)('wrk', argumentsOf(load, paths));
    return resultOf(stdout, load.url);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function argumentsOf({ url, connections, seconds, headers = {}, ...load }: Load, paths: string) {
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const script = [
    '--',
    paths,
    String(load.perSecond ? Math.round((connections * 1000) / load.perSecond) : 0),
    load.method ?? 'GET',
    ...(load.body === undefined ? [] : [load.body]),
  ];
  const size = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s'];
  return [...size, ...named, '-s', SCRIPT, url, ...script];
}

function resultOf(output: string, url: string): LoadResult {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no result for ${url}:\n${output}`);
  const { failures, ...result } = JSON.parse(line) as LoadResult & { failures: number };
  if (failures > 0) throw new Error(`${failures} requests to ${url} failed`);
  return result;
}
