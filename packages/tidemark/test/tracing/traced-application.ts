/** An application with an SDK of OpenTelemetry, and what instrumentations of HTTP, pg and ioredis would do. */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, Get, Param, ParseIntPipe, Patch, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { Redis } from 'ioredis';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import {
  CacheInvalidationModule,
  CacheQuery,
  defineQuery,
  QueryCache,
  QueryCacheModule,
} from '../../src/index.js';
import { CacheTracingModule } from '../../src/tracing/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Part, parts } from '../start/started-application.js';

/** Fails for each part whose name is no number, with the name in the message. */
const numbers = defineQuery({
  name: 'parts.numbers',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Part).createQueryBuilder('p').where('CAST(p.name AS integer) = 1'),
}).bind({});

@Controller('parts')
class PartsController {
  constructor(private readonly source: DataSource) {}

  @Get()
  @CacheQuery()
  list() {
    return parts;
  }

  @Get('numbers')
  @CacheQuery()
  numbers() {
    return numbers;
  }

  @Get('random')
  @CacheQuery()
  random(): SelectQueryBuilder<Part> {
    return this.source.getRepository(Part).createQueryBuilder('p').where('random() >= 0');
  }

  @Patch(':id/:name')
  async rename(
    @Param('id', ParseIntPipe) id: number,
    @Param('name') name: string,
    @Body() _body: unknown,
  ) {
    await this.source.getRepository(Part).update({ id }, { name });
    return { id };
  }
}

/** A span, its children, and what it shows of its work. */
export interface SpanTree {
  readonly name: string;
  readonly attributes: ReadableSpan['attributes'];
  readonly span: ReadableSpan;
  readonly children: readonly SpanTree[];
}

export class TracedApplication {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly databaseUrl: string,
    private readonly exporter: InMemorySpanExporter,
    private readonly reader: PeriodicExportingMetricReader,
    private readonly ends: readonly (() => unknown)[],
  ) {}

  static async start(modules: readonly Type[] = []): Promise<TracedApplication> {
    const exporter = new InMemorySpanExporter();
    const reader = new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      exportIntervalMillis: 3_600_000,
    });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    const meters = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(meters);
    const redis = await RedisServer.start();
    const databaseUrl = await createDatabase();
    const testing = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: databaseUrl,
          entities: [Part],
          synchronize: true,
          retryAttempts: 0,
        }),
        QueryCacheModule.forRoot({ redis: { url: redis.url } }),
        CacheInvalidationModule.forRoot(),
        ...modules.map((module) =>
          module === CacheTracingModule ? CacheTracingModule.forRoot() : module,
        ),
      ],
      controllers: [PartsController],
    }).compile();
    const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    app.useLogger(false);
    app.use((request: IncomingMessage, _: unknown, next: () => void) => {
      const span = trace.getTracer('http').startSpan(`${request.method} ${request.url}`);
      context.with(trace.setSpan(context.active(), span), next);
      setImmediate(() => span.end());
    });
    await app.init();
    const source = app.get(DataSource);
    await source.query(`INSERT INTO parts VALUES (1, 'wheel')`);
    const { postgres } = source.driver as unknown as {
      postgres: { Client: { prototype: object } };
    };
    const ends = [
      instrumented(postgres.Client.prototype, 'query', 'pg', (first) =>
        String(typeof first === 'string' ? first : (first as { text?: string }).text),
      ),
      instrumented(Redis.prototype, 'sendCommand', 'redis', (command) => {
        return (command as { name: string }).name;
      }),
      () => app.close(),
      () => redis.stop(),
      () => meters.shutdown(),
      () => {
        trace.disable();
        metrics.disable();
        context.disable();
      },
    ];
    return new TracedApplication(app, databaseUrl, exporter, reader, ends);
  }

  get cache(): QueryCache {
    return this.app.get(QueryCache);
  }

  /** The finished spans of the cache with this name. */
  spans(name: string): readonly SpanTree[] {
    const spans = this.exporter.getFinishedSpans();
    return spans.filter((span) => span.name === name).map((span) => treeOf(span, spans));
  }

  /** All finished spans of the cache, as text. */
  text(): string {
    const own = this.exporter
      .getFinishedSpans()
      .filter(({ instrumentationScope }) => instrumentationScope.name === '@tidemark/nestjs');
    return JSON.stringify(
      own.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    );
  }

  /** Sends the request until the answer's `Cache-Status` matches; resolves with the span of that request. */
  request(url: string, status?: RegExp): Promise<SpanTree> {
    return this.#send('GET', url, status);
  }

  patch(url: string): Promise<SpanTree> {
    return this.#send('PATCH', url);
  }

  /** The sums of a counter, or the counts of a histogram, by the attribute. */
  async measured(metric: string, attribute: string): Promise<Record<string, number>> {
    const { resourceMetrics } = await this.reader.collect();
    const found = resourceMetrics.scopeMetrics
      .filter(({ scope }) => scope.name === '@tidemark/nestjs')
      .flatMap((scoped) => scoped.metrics)
      .find(({ descriptor }) => descriptor.name === metric);
    const sums: Record<string, number> = {};
    for (const { attributes, value } of found?.dataPoints ?? []) {
      const key = String(attributes[attribute]);
      sums[key] = (sums[key] ?? 0) + (typeof value === 'number' ? value : value.count);
    }
    return sums;
  }

  async stop(): Promise<void> {
    for (const end of this.ends) await end();
  }

  #send(method: 'GET' | 'PATCH', url: string, status = /^/): Promise<SpanTree> {
    return eventually(async () => {
      this.exporter.reset();
      const { headers } = await this.app.inject({ method, url });
      const found = String(headers['cache-status']);
      if (!status.test(found)) throw new Error(`${url} is ${found}`);
      const [tree] = this.spans(`${method} ${url}`);
      if (!tree) throw new Error('The request has no span yet');
      return tree;
    });
  }
}

/** Makes a span of each call, whose parent is the active one; returns the function that ends it. */
function instrumented(
  prototype: object,
  method: string,
  scope: string,
  nameOf: (first: unknown) => string,
): () => void {
  const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[method];
  if (!original) throw new Error(`There is no method ${method}`);
  methods[method] = function (...args) {
    trace
      .getTracer(scope)
      .startSpan(`${scope} ${nameOf(args[0])}`)
      .end();
    return original.apply(this, args);
  };
  return () => {
    methods[method] = original;
  };
}

function treeOf(span: ReadableSpan, all: readonly ReadableSpan[]): SpanTree {
  const { spanId } = span.spanContext();
  const children = all
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId)
    .map((child) => treeOf(child, all));
  return { name: span.name, attributes: span.attributes, span, children };
}

/** The names of all spans below. */
export function namesBelow({ children }: SpanTree): string[] {
  return children.flatMap((child) => [child.name, ...namesBelow(child)]);
}

/** The only child with that name. */
export function childOf(tree: SpanTree, name: string): SpanTree {
  const found = tree.children.filter((child) => child.name === name);
  const [child] = found;
  if (child && found.length === 1) return child;
  throw new Error(
    `${tree.name} has ${found.length} children ${name}: ${namesBelow(tree).join(', ')}`,
  );
}
