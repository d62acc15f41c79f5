/** Real: PostgreSQL, HTTP. The origin of a write is the route or the handler that has sent it, and no other one. */
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Controller,
  Delete,
  Get,
  Injectable,
  NotFoundException,
  Param,
  ParseIntPipe,
  Patch,
  Post,
  Put,
  UseInterceptors,
  VersioningType,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR, ExternalContextCreator } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { ClsPluginTransactional, Transactional, TransactionHost } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { ClsModule } from 'nestjs-cls';
import { concatMap, from, lastValueFrom, range, type Observable } from 'rxjs';
import {
  CacheInterceptor,
  LeavesBody,
  OriginInterceptor,
  QueryCache,
  type BoundQuery,
  type Invalidation,
} from '../../src/index.js';
import { isLeavingBody } from '../../src/nestjs/http/routes.js';
import { ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { CachePageModule } from '../../src/page/index.js';
import { Book, bookById } from './routes.controllers.js';

const WHOLE = '/api/v1/books';

@Controller({ path: 'books', version: '1' })
@UseInterceptors(CacheInterceptor)
class BooksController {
  constructor(private readonly host: TransactionHost<TransactionalAdapterTypeOrm>) {}

  @Get(':id')
  one(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }

  /** It should not write, and does. */
  @Get(':id/touched')
  touched(@Param('id', ParseIntPipe) id: number): Promise<number> {
    return this.#write(id);
  }

  @Post(':id')
  enter(@Param('id', ParseIntPipe) id: number): Promise<number> {
    return this.#write(id);
  }

  @Put(':id/chapters/:chapter')
  chapters(@Param('id', ParseIntPipe) id: number): Observable<number> {
    return range(0, 3).pipe(concatMap((index) => from(this.#write(id + index))));
  }

  @Patch(':id')
  @Transactional()
  async rename(@Param('id', ParseIntPipe) id: number): Promise<number> {
    await this.#write(id);
    return this.#write(id);
  }

  @Delete(':id')
  async remove(@Param('id', ParseIntPipe) id: number): Promise<never> {
    await this.#write(id);
    throw new NotFoundException('It was not there.');
  }

  async #write(id: number): Promise<number> {
    await nextTurn();
    await this.host.tx.query(
      `INSERT INTO books VALUES ($1, 'a') ON CONFLICT (id) DO UPDATE SET title = books.title || 'b'`,
      [id],
    );
    return id;
  }
}

/** The request is one transaction if its header asks for one of this place. */
function transactionAt(place: string): Type<NestInterceptor> {
  @Injectable()
  @LeavesBody()
  class RequestTransaction implements NestInterceptor {
    constructor(private readonly host: TransactionHost<TransactionalAdapterTypeOrm>) {}

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const { headers } = context.switchToHttp().getRequest<Partial<IncomingMessage>>();
      if (headers?.['x-transaction'] !== place) return next.handle();
      return from(this.host.withTransaction(() => lastValueFrom(next.handle())));
    }
  }
  return RequestTransaction;
}

@Injectable()
class BooksResolver {
  constructor(private readonly host: TransactionHost<TransactionalAdapterTypeOrm>) {}

  async rename(_root: unknown, { id }: { id: number }): Promise<number> {
    await this.host.tx.query(`INSERT INTO books VALUES ($1, 'a')`, [id]);
    return id;
  }
}

/** What names the routes. */
const NAMED_BY = {
  interceptor: {
    imports: [],
    interceptors: [transactionAt('outer'), OriginInterceptor, transactionAt('inner')],
  },
  page: {
    imports: [CachePageModule.forRoot({ token: 'a-token-of-more-than-16' })],
    interceptors: [transactionAt('outer'), transactionAt('inner')],
  },
};

const CASES = ADAPTERS.flatMap((adapter) => [
  { adapter, by: 'interceptor' as const },
  { adapter, by: 'page' as const },
]);

describe.each(CASES)('on $adapter, named by the $by', ({ adapter, by }) => {
  let adopter: Adopter;
  const events: Invalidation[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });

  /** Over connections that are used again and again. */
  async function send(method: string, path: string, transaction = ''): Promise<number> {
    const { port } = (adopter.app.getHttpServer() as { address(): AddressInfo }).address();
    const body = method === 'GET' ? '' : JSON.stringify({ pages: 'x'.repeat(100_000) });
    const headers = {
      'x-transaction': transaction,
      ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
    };
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent }).end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
    return answer.statusCode ?? 0;
  }

  /** The origins by the id of the book that was written. */
  const originsOf = (): Record<string, (string | undefined)[]> => {
    const found: Record<string, (string | undefined)[]> = {};
    for (const { origin, regions } of events) {
      const names = regions.flatMap((region) => region.names);
      for (const name of names) if (name.startsWith('id=')) (found[name] ??= []).push(origin);
    }
    return found;
  };

  beforeAll(async () => {
    adopter = await startAdopter({
      adapter,
      entities: [Book],
      cache: { exposeValues: true },
      imports: [
        ClsModule.forRoot({
          middleware: { mount: true },
          plugins: [
            new ClsPluginTransactional({
              adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
            }),
          ],
        }),
        ...NAMED_BY[by].imports,
      ],
      controllers: [BooksController],
      providers: [
        ...NAMED_BY[by].interceptors.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass })),
        BooksResolver,
      ],
      configure: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI });
      },
    });
    adopter.app.get(QueryCache).events.on('invalidated', (event) => events.push(event));
    // Until the version of the schema is known, all writes count as writes to all tables.
    await adopter.inject({ url: `${WHOLE}/1` });
    await send('POST', `${WHOLE}/1`);
  });
  afterAll(async () => {
    agent.destroy();
    await adopter.stop();
  });
  beforeEach(() => (events.length = 0));

  it.each([
    ['POST', '7', 201, { 'id=7': [`POST ${WHOLE}/:id`] }],
    ['PATCH', '8?secret=1', 200, { 'id=8': [`PATCH ${WHOLE}/:id`] }],
    [
      'PUT',
      '20/chapters/99',
      200,
      {
        'id=20': [`PUT ${WHOLE}/:id/chapters/:chapter`],
        'id=21': [`PUT ${WHOLE}/:id/chapters/:chapter`],
        'id=22': [`PUT ${WHOLE}/:id/chapters/:chapter`],
      },
    ],
    ['DELETE', '9', 404, { 'id=9': [`DELETE ${WHOLE}/:id`] }],
    ['GET', '10/touched', 200, { 'id=10': [undefined] }],
  ])('%s %s: the pattern of the route, none for GET', async (method, path, status, origins) => {
    expect(await send(method, `${WHOLE}/${path}`)).toBe(status);
    expect(originsOf()).toEqual(origins);
  });

  it.each(['outer', 'inner'])(
    'a transaction of an interceptor has the origin of its statements (%s)',
    async (place) => {
      expect(await send('POST', `${WHOLE}/30`, place)).toBe(201);
      expect(originsOf()).toEqual({ 'id=30': [`POST ${WHOLE}/:id`] });
    },
  );

  it('a cached route still answers from the cache, with stored bytes', async () => {
    await adopter.inject({ url: `${WHOLE}/1` });
    const { headers } = await adopter.inject({ url: `${WHOLE}/1` });
    expect(headers['cache-status']).toMatch(/^tidemark; hit/);
    expect(isLeavingBody(OriginInterceptor)).toBe(true);
    expect(adopter.sql.selectsFrom('books')).toEqual([]);
  });

  it('requests at the same time over the same connections have their own origins', async () => {
    const expected: Record<string, (string | undefined)[]> = {};
    const routes = [
      { method: 'POST', suffix: '', origin: `POST ${WHOLE}/:id` },
      { method: 'PATCH', suffix: '', origin: `PATCH ${WHOLE}/:id` },
      { method: 'GET', suffix: '/touched', origin: undefined },
      { method: 'DELETE', suffix: '', origin: `DELETE ${WHOLE}/:id` },
    ];
    const requests = Array.from({ length: 120 }, (_, index) => {
      const { method, suffix, origin } = routes[index % routes.length] as (typeof routes)[0];
      const id = 1_000 + index;
      expected[`id=${id}`] = [origin];
      const place = ['', 'outer', 'inner'][index % 3];
      return send(method, `${WHOLE}/${id}${suffix}`, method === 'DELETE' ? '' : place);
    });
    await Promise.all(requests);
    expect(originsOf()).toEqual(expected);
  });

  it.runIf(by === 'interceptor').each([
    ['graphql', 'mutation', 'BooksResolver.rename'],
    ['graphql', 'query', undefined],
    ['rpc', undefined, 'BooksResolver.rename'],
    ['ws', undefined, 'BooksResolver.rename'],
  ])('a handler of %s, %s: %s', async (type, operation, origin) => {
    const creator = adopter.app.get(ExternalContextCreator, { strict: false });
    const resolver = adopter.app.get(BooksResolver);
    const { rename } = resolver as unknown as Record<'rename', (...args: unknown[]) => unknown>;
    const none = undefined;
    const handler = creator.create(
      ...[resolver, rename, 'rename', none, none, none, none, none, type],
    ) as (...args: unknown[]) => Promise<number>;
    await adopter.source.query('DELETE FROM books WHERE id = 70');
    events.length = 0;
    await handler({}, { id: 70 }, {}, { operation: { operation } });
    expect(originsOf()).toEqual({ 'id=70': [origin] });
  });
});
