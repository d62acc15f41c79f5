/** Real: PostgreSQL, Redis, HTTP, and an SDK of OpenTelemetry. The spans and metrics of the cache. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpanStatusCode } from '@opentelemetry/api';
import { Client } from 'pg';
import { CacheEvents } from '../../src/index.js';
import { CacheTracingModule } from '../../src/tracing/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { parts } from '../start/started-application.js';
import { childOf, namesBelow, TracedApplication, type SpanTree } from './traced-application.js';

const HIT = /^tidemark; hit/;

const only = (names: readonly string[], scope: string) =>
  names.filter((name) => name.startsWith(`${scope} `));

describe('an application with CacheTracingModule', () => {
  let traced: TracedApplication;

  beforeAll(async () => {
    traced = await TracedApplication.start([CacheTracingModule]);
    await traced.request('/parts', HIT);
  });
  afterAll(() => traced.stop());

  /** The span of a request that misses: after a write, unless one of the first reads has taken the miss. */
  const missed = async (): Promise<SpanTree> => {
    await traced.patch('/parts/1/wheel');
    return traced.request('/parts', /^tidemark; (?:fwd=miss; stored|hit)/);
  };

  it('has a span of a hit below that of the request, with the command of Redis below and no statement', async () => {
    const request = await traced.request('/parts', HIT);
    const read = childOf(request, 'cache read parts');
    expect(read.attributes).toEqual({
      'tidemark.query': 'parts',
      'tidemark.outcome': 'hit',
      'tidemark.level': 'L1',
    });
    expect(read.span.status.code).toBe(SpanStatusCode.UNSET);
    expect(only(namesBelow(read), 'redis')).toContain('redis mget');
    expect(only(namesBelow(request), 'pg')).toEqual([]);
    expect(only(namesBelow(read), 'cache')).toEqual([]);
  });

  it('has a span of the fill below that of a miss, and the statement below the fill', async () => {
    const request = await eventually(async () => {
      const found = await missed();
      childOf(childOf(found, 'cache read parts'), 'cache fill parts');
      return found;
    });
    const read = childOf(request, 'cache read parts');
    expect(read.attributes).toEqual({
      'tidemark.query': 'parts',
      'tidemark.outcome': 'miss',
      'tidemark.stored': true,
    });
    const fill = childOf(read, 'cache fill parts');
    expect(fill.attributes).toEqual({
      'tidemark.query': 'parts',
      'tidemark.tables': ['public.parts'],
      'tidemark.rows': 1,
      'tidemark.bytes': JSON.stringify(['wheel']).length,
    });
    expect(only(namesBelow(fill), 'pg').join()).toContain('FROM "parts"');
    expect(only(namesBelow(read), 'redis').length).toBeGreaterThan(0);
  });

  it('has a span of a bypass with the reason, and the statement below it', async () => {
    const request = await traced.request('/parts/random', /detail=/);
    const read = childOf(request, 'cache read Part');
    expect(read.attributes).toEqual({
      'tidemark.query': 'Part',
      'tidemark.outcome': 'bypass',
      'tidemark.reason': 'uncacheable',
      'tidemark.detail': expect.stringMatching(/^[a-z-]+$/),
    });
    expect(only(namesBelow(read), 'pg').join()).toContain('random()');
    expect(only(namesBelow(read), 'cache')).toEqual([]);
  });

  it('has a span of the publish below that of the request that writes', async () => {
    const request = await traced.patch('/parts/1/wheel');
    const publish = childOf(request, 'cache publish');
    expect(publish.attributes).toEqual({
      'tidemark.outcome': 'published',
      'tidemark.write_id': expect.any(String),
      'tidemark.tables': ['public.parts'],
    });
    expect(only(namesBelow(publish), 'redis').length).toBeGreaterThan(0);
    const statements = only(namesBelow(request), 'pg');
    expect(statements.join()).toContain('UPDATE "parts"');
    expect(statements).toContain('pg COMMIT');
  });

  it('has a span without a parent for rows of the outbox, with the commands of Redis below', async () => {
    const client = new Client({ connectionString: traced.databaseUrl });
    await client.connect();
    try {
      const relay = await eventually(async () => {
        await client.query(`UPDATE parts SET name = 'wheel'`);
        const [found] = traced.spans('cache relay');
        if (!found) throw new Error('not relayed yet');
        return found;
      });
      expect(relay.span.parentSpanContext).toBeUndefined();
      expect(relay.attributes).toMatchObject({
        'tidemark.rows': expect.any(Number),
        'tidemark.tables': ['public.parts'],
      });
      expect(only(namesBelow(relay), 'redis').length).toBeGreaterThan(0);
      expect(only(namesBelow(relay), 'cache')).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it('has the SQLSTATE of a query that fails, in the spans of read and fill, and nothing of its message', async () => {
    const request = await eventually(async () => {
      const found = await traced.request('/parts/numbers');
      childOf(childOf(found, 'cache read parts.numbers'), 'cache fill parts.numbers');
      return found;
    });
    const read = childOf(request, 'cache read parts.numbers');
    for (const { attributes, span } of [read, childOf(read, 'cache fill parts.numbers')]) {
      expect(attributes).toMatchObject({ 'tidemark.outcome': 'failed', 'error.type': '22P02' });
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    }
    expect(traced.text()).toContain('cache read parts.numbers');
    expect(traced.text()).not.toMatch(/wheel|SELECT|invalid input/);
  });

  it('has a span for `QueryCache.run`, below the active one', async () => {
    const { cache } = traced;
    await traced.request('/parts', HIT);
    await eventually(async () => {
      await cache.run(parts);
      const [read] = traced.spans('cache read parts').slice(-1);
      expect(read?.attributes['tidemark.outcome']).toBe('hit');
      expect(read?.span.parentSpanContext).toBeUndefined();
    });
  });

  it('has metrics by outcome: one read and one duration for each call', async () => {
    const before = await traced.measured('tidemark.cache.reads', 'tidemark.outcome');
    await traced.request('/parts', HIT);
    const seen = traced.spans('cache read parts').length;
    expect(seen).toBe(1);
    const reads = await traced.measured('tidemark.cache.reads', 'tidemark.outcome');
    expect(reads['hit'] ?? 0).toBeGreaterThan(before['hit'] ?? 0);
    expect(reads).toMatchObject({ bypass: expect.any(Number), failed: expect.any(Number) });
    const durations = await traced.measured('tidemark.cache.read.duration', 'tidemark.outcome');
    expect(durations).toEqual(reads);
    const writes = await traced.measured('tidemark.cache.publish.duration', 'tidemark.outcome');
    expect(writes).toEqual({ published: expect.any(Number) });
    const rows = await traced.measured('tidemark.cache.relay.rows', 'none');
    expect(rows['undefined']).toBeGreaterThan(0);
  });
});

describe('an application without CacheTracingModule', () => {
  it('has no span of the cache', async () => {
    const traced = await TracedApplication.start();
    try {
      const request = await traced.request('/parts', HIT);
      expect(only(namesBelow(request), 'redis')).toContain('redis mget');
      expect(traced.text()).toBe('[]');
    } finally {
      await traced.stop();
    }
  });
});

describe('CacheTracingModule', () => {
  it('leaves the cache when the application closes', async () => {
    const traced = await TracedApplication.start([CacheTracingModule]);
    const events = traced.app.get(CacheEvents);
    expect(events.tracer).toBeDefined();
    await traced.stop();
    expect(events.tracer).toBeUndefined();
  });
});
