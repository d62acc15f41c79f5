/**
 * Three built instances under load and faults, checked from outside (checker/history.ts has the
 * definition), and the proof that the check catches a wrong run.
 */
import { describe, expect, it } from 'vitest';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isLong, itWhenLong, representatives } from '../support/long-tests.js';
import { faultsOf } from './faults/faults.js';
import { parseOptions, REDIS_KINDS, type CheckOptions } from './options.js';
import { isClean, summary } from './report.js';
import { check, type CheckResult } from './run.js';
import { restoreVersions } from './nemesis.js';
import { childrenOf, isRunning } from '../support/process-tree.js';

const LIMIT_MS = 240_000;
const MAX_LOAD_MS = 480_000;
const MAIN = join(import.meta.dirname, '../../scripts/consistency.mjs');

/** The whole output of a failed run. */
function account(options: CheckOptions, result: CheckResult): string {
  return [summary(options, result), ...result.evidence].join('\n');
}

/** However long that takes on the machine. */
const hasSeenEnough = ({ checkedReads, figures }: CheckResult): boolean =>
  checkedReads > 200 &&
  figures.hits > 50 &&
  figures.outcomes.of('happened') > 10 &&
  figures.outsideWrites > 3;

const loads = [
  { redis: 'standalone', faults: 'quick', seconds: 180 },
  { redis: 'sentinel', faults: 'own', seconds: 400 },
  { redis: 'cluster', faults: 'own', seconds: 400 },
] as const;

describe('three instances under load', () => {
  it.each(representatives(loads, 0))(
    'give no stale answer under one fault after another, on Redis as $redis ($faults)',
    async ({ redis, faults, seconds }) => {
      const most = ['--seconds', String(seconds), '--writers', '3', '--readers', '12'];
      const base = parseOptions([...most, '--redis', redis], () => 1);
      const options: CheckOptions = {
        ...base,
        policy: 'refuse',
        faults,
        faultPace: { pauseMs: 100 },
      };
      const expected = faultsOf(options).map(({ kind }) => kind);
      const enough = new AbortController();

      const result = await check(options, {
        interrupted: enough.signal,
        onProgress: (soFar) => {
          const ended = soFar.figures.faults.filter(({ endedMs }) => endedMs !== undefined);
          const kinds = new Set(ended.map(({ kind }) => kind));
          if (kinds.size === expected.length && hasSeenEnough(soFar)) enough.abort();
        },
      });

      const said = account(options, result);
      expect({ isClean: isClean(result), hasSeenEnough: hasSeenEnough(result), said }).toEqual({
        isClean: true,
        hasSeenEnough: true,
        said,
      });
      expect(new Set(result.figures.faults.map(({ kind }) => kind))).toEqual(new Set(expected));
    },
    MAX_LOAD_MS,
  );

  it.runIf(isLong).each(REDIS_KINDS)(
    'are caught when an ended answer counts again, on Redis as %s',
    async (kind) => {
      // Ends with the first violation, after some seconds where nothing else is busy.
      const options = parseOptions(
        ['--seconds', '180', '--writers', '2', '--readers', '9', '--redis', kind],
        () => 2,
      );
      const enough = new AbortController();
      let restored = 0;
      const result = await check(options, {
        interrupted: enough.signal,
        beside: async ({ redis }, stopping) => {
          restored = await restoreVersions((await redis.primary()).url, stopping);
        },
        onProgress: ({ violations }) => {
          if (violations > 0) enough.abort();
        },
      });
      expect(restored).toBeGreaterThan(0);
      expect(result.violations).toBeGreaterThan(0);
      expect(isClean(result)).toBe(false);
      expect(result.evidence[0]).toMatch(/answered what no state from \d+ to \d+ has/);
      expect(result.evidence[0]).toMatch(/cache-status: tidemark; hit/);
    },
    LIMIT_MS,
  );
});

describe('the command', () => {
  it('reports wrong arguments', async () => {
    const { code, output } = await run(['--seconds', 'long']);
    expect(code).toBe(2);
    expect(output).toContain('--seconds is "long": give an integer');
    expect(output).toContain('Usage: npm run consistency');
  });

  itWhenLong(
    'ends with its figures when it is interrupted, and leaves nothing running',
    async () => {
      const { code, output, pids } = await run(['--seconds', '600', '--instances', '1'], 'SIGINT');
      expect(output).toContain('Ending');
      expect(output).toMatch(/Stale reads +0/);
      expect(code).toBe(0);
      expect(pids.length).toBeGreaterThanOrEqual(3);
      expect(pids.filter(isRunning)).toEqual([]);
    },
    LIMIT_MS,
  );
});

/** Runs the command; with a signal, sends it at the first line of progress. */
async function run(
  args: readonly string[],
  signal?: NodeJS.Signals,
): Promise<{ code: number | null; output: string; pids: readonly number[] }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let pids: readonly number[] = [];
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    if (signal === undefined || pids.length > 0 || !/reads \d+/.test(output)) return;
    pids = descendantsOf(child.pid as number);
    child.kill(signal);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, pids };
}

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}
