import { describe, expect, it } from 'vitest';
import type { MissReport } from '../src/observe/report.js';
import type { InstanceSummary } from '../src/page/page-api.js';
import { missCause } from './causes.js';
import { healthOf, healthOfAll } from './health.js';
import { auditSentence, ninesOf } from './nines.js';
import { markAdvice, relayAdvice, triggerAdvice } from './remedies.js';
import { isNotWorthCaching, regionName, regionsText, startsOf } from './sums.js';

const NOW_MS = 1_000_000;

describe('the audit', () => {
  const audit = { share: 0.001, compared: 12_345, different: 0, maxDifferentShare: 0.000_243 };

  it('is a sentence with counts and a share that is rounded down', () => {
    expect(auditSentence(audit)).toBe(
      '0 of 12,345 compared answers differed: with 95 % confidence at least 99.975 % are right.',
    );
  });

  it.each([
    [1, '0 %'],
    [0.3, '70 %'],
    [0.06, '94.0 %'],
    [0.000_03, '99.9970 %'],
    [0, '100 %'],
    [undefined, undefined],
  ])('with at most %s wrong claims %s', (maxDifferentShare, text) => {
    expect(ninesOf({ ...audit, maxDifferentShare })).toBe(text);
  });

  it('says what to do where nothing is compared', () => {
    const none = { compared: 0, different: 0, maxDifferentShare: undefined };
    expect(auditSentence({ ...none, share: 0 })).toContain('set the option `audit`');
    expect(auditSentence({ ...none, share: 0.001 })).toContain('yet. 0.1 % of hits will be');
  });
});

describe('the cause of a miss', () => {
  const miss: MissReport = {
    atMs: NOW_MS,
    query: 'users.page',
    key: 'k',
    cause: 'outdated',
    outdated: [{ table: 'public.users', names: ['region=US'] }],
    durationMs: 1,
    endedBy: {
      atMs: NOW_MS - 3_200,
      writeId: 'w',
      source: 'service',
      origin: 'PATCH /users/:id',
      statements: [{ title: 'UPDATE public.users', fingerprint: '0'.repeat(16) }],
      regions: [],
    },
  };

  it('names statement, origin and time of the write', () => {
    expect(missCause(miss, NOW_MS)).toBe(
      'ended by UPDATE public.users of PATCH /users/:id, 3 s ago',
    );
  });

  it('names a writer outside of the service, and a write without a statement', () => {
    const endedBy = { ...miss.endedBy!, source: 'outside', origin: undefined } as const;
    expect(missCause({ ...miss, endedBy }, NOW_MS)).toContain('of a writer outside the service');
    expect(missCause({ ...miss, endedBy: { ...endedBy, statements: [] } }, NOW_MS)).toBe(
      'ended by a write of a writer outside the service, 3 s ago',
    );
  });

  it('names the regions where no instance remembers the write', () => {
    expect(missCause({ ...miss, endedBy: undefined }, NOW_MS)).toBe(
      'ended by a write of public.users (region = US) that no instance remembers',
    );
  });
});

describe('health', () => {
  const instance = {
    atMs: NOW_MS,
    health: { status: 'up', detail: undefined },
  } as InstanceSummary;

  it('is good, degraded with its detail, or silent', () => {
    expect(healthOf(instance, NOW_MS)).toEqual({ tone: 'good', text: 'Healthy' });
    const degraded = {
      ...instance,
      health: { status: 'degraded', detail: 'Redis is away.' },
    } as const;
    expect(healthOf(degraded, NOW_MS).text).toBe('Degraded: Redis is away.');
    expect(healthOf(instance, NOW_MS + 20_000).text).toBe(
      'Silent: its last report is of 20 s ago.',
    );
  });

  it('counts the instances that need attention', () => {
    const silent = { ...instance, atMs: 0 };
    expect(healthOfAll([instance, instance], NOW_MS).text).toBe('All 2 instances are healthy.');
    expect(healthOfAll([instance, silent], NOW_MS).text).toMatch(/^1 of 2 instances needs/);
    expect(healthOfAll([], NOW_MS).text).toBe('No instance has reported.');
  });
});

describe('regions', () => {
  it.each([
    ['*', 'whole table'],
    ['region=US', 'region = US'],
    ['tenant%20id=a=b', 'tenant id = a=b'],
    ['id?', 'id unknown'],
  ])('%s is %s', (name, text) => {
    expect(regionName(name)).toBe(text);
  });

  it('are named by table, at most three, and the whole table only where it is alone', () => {
    const names = ['*', 'id=1', 'id=2', 'id=3', 'id=4'];
    expect(regionsText([{ table: 'public.users', names }])).toBe(
      'public.users (id = 1, id = 2, id = 3, 1 more)',
    );
    expect(regionsText([{ table: 't', names: ['*'] }])).toBe('t (whole table)');
  });

  it.each([
    [10, 10, true],
    [11, 10, false],
    [0, 9, false],
  ])('%s hits against %s writes are not worth caching: %s', (hits, writes, isIdle) => {
    const region = { table: 't', region: '*', misses: 5 };
    expect(isNotWorthCaching({ ...region, hits, writes })).toBe(isIdle);
  });

  it('minutes begin on the minute, the current one last', () => {
    expect(startsOf([0, 0, 0], 130_500)).toEqual([0, 60_000, 120_000]);
  });
});

describe('what to do', () => {
  const relay = { backlogRows: 3, backlogAgeMs: 4, lastLagMs: 5, relayedRows: 6 };

  it('is nothing where all is well', () => {
    expect(
      markAdvice({ table: 't', writeId: 'w', backendPid: 1, leaseLeftMs: 5 }).remedy,
    ).toBeUndefined();
    expect(relayAdvice({ ...relay, state: 'relaying' }).remedy).toBeUndefined();
    expect(triggerAdvice('installed').remedy).toBeUndefined();
  });

  it('names the command where something is to be done', () => {
    expect(markAdvice({ table: 't', writeId: 'w', backendPid: 7, leaseLeftMs: -5 }).command).toBe(
      'SELECT pg_terminate_backend(7)',
    );
    expect(triggerAdvice('missing').command).toBe('npx tidemark triggers');
    expect(relayAdvice({ ...relay, state: 'relaying', backlogAgeMs: 9_000 }).tone).toBe('warn');
    expect(relayAdvice({ ...relay, state: 'away' }).tone).toBe('bad');
  });
});
