import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from './options.js';

const parse = (...args: string[]) => parseOptions(args, () => 4711);

describe('the arguments of a run', () => {
  it('have defaults', () => {
    expect(parse()).toMatchObject({
      faults: 'none',
      redis: 'standalone',
      instances: 3,
      policy: 'commit',
      seed: 4711,
    });
  });

  it('may all be given', () => {
    const args =
      '--seconds 8 --faults --redis cluster --instances 2 --writers 1 --readers 6 --seed 7 --policy commit';
    expect(parse(...args.split(' '))).toMatchObject({
      seconds: 8,
      faults: 'all',
      redis: 'cluster',
      instances: 2,
      writers: 1,
      readers: 6,
      seed: 7,
      policy: 'commit',
    });
  });

  it('check the strictest promise when there are faults', () => {
    expect(parse('--faults').policy).toBe('refuse');
  });

  it.each([
    ['standalone', 'SWAPDB and back', 'SENTINEL FAILOVER'],
    ['sentinel', 'SENTINEL FAILOVER', 'CLUSTER FAILOVER'],
    ['cluster', 'CLUSTER FAILOVER', 'SWAPDB and back'],
  ])('name a fault that Redis as %s can have: %s, not %s', (redis, only, other) => {
    expect(parse('--redis', redis, '--only', only).only).toBe(only);
    expect(() => parse('--redis', redis, '--only', other)).toThrow(`with --redis ${redis}:`);
  });

  it.each([
    [['--seconds', 'soon'], '--seconds is "soon": give an integer, 1 to 86400.'],
    [['--seconds', '0'], '--seconds is "0": give an integer, 1 to 86400.'],
    [['--readers', '1.5'], '--readers is "1.5": give an integer, 0 to 1000.'],
    [['--policy', 'maybe'], '--policy is "maybe": give commit or refuse.'],
    [['--redis', 'proxy'], '--redis is "proxy": give one of standalone, sentinel, cluster.'],
    [
      ['--only', 'FAILOVER'],
      '--only is "FAILOVER": give a part of one of these, with --redis standalone:',
    ],
    [['--hours', '1'], "Unknown option '--hours'"],
    [['60'], "Unexpected argument '60'"],
    [['--seconds'], "Option '--seconds <value>' argument missing"],
  ])('are refused with a clear message: %j', (args, words) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(words);
  });
});
