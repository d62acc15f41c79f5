/** Controllers of an adopter: the same routes answered by the interceptor and by the decorator. */
import {
  CanActivate,
  Controller,
  ForbiddenException,
  Get,
  Header,
  Injectable,
  Param,
  ParseIntPipe,
  Query,
  Req,
  Res,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { map, of, type Observable } from 'rxjs';
import { Column, DataSource, Entity, PrimaryColumn, type SelectQueryBuilder } from 'typeorm';
import {
  CacheInterceptor,
  CacheQuery,
  defineQuery,
  minutes,
  seconds,
  type BoundQuery,
} from '../../src/index.js';
import type { Reply } from './adopter.js';

@Entity('books')
export class Book {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  title!: string;
}

export const bookById = defineQuery({
  name: 'books.by-id',
  shape: 'one',
  build: (source: DataSource, { id }: { id: number }) =>
    source.getRepository(Book).createQueryBuilder('book').where('book.id = :id', { id }),
  absent: ({ id }) => `No book ${id}.`,
});

/** Refuses callers that say they are thieves. */
@Injectable()
export class NoThieves implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<IncomingMessage>().headers['x-thief'] === undefined) {
      return true;
    }
    throw new ForbiddenException();
  }
}

/** Notes the types of the values that it gets. */
@Injectable()
export class Watcher implements NestInterceptor {
  readonly seen: string[] = [];

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map((value: unknown) => {
        this.seen.push((value as object).constructor.name);
        return value;
      }),
    );
  }
}

@Controller('intercepted')
@UseGuards(NoThieves)
@UseInterceptors(CacheInterceptor)
@CacheQuery({ ttl: seconds(50) })
export class InterceptedController {
  constructor(private readonly source: DataSource) {}

  @Get('books/:id')
  read(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }

  @Get('later/:id')
  async later(@Param('id', ParseIntPipe) id: number): Promise<BoundQuery> {
    return Promise.resolve(bookById.bind({ id }));
  }

  @Get('plain')
  plain(): SelectQueryBuilder<Book> {
    return this.source.getRepository(Book).createQueryBuilder('book').orderBy('book.id');
  }

  @Get('stream')
  stream(): Observable<unknown> {
    return of({ no: 'query' });
  }

  @Get('other')
  other(@Query('say') say: string): { say: string } {
    return { say };
  }
}

@Controller('decorated')
@UseGuards(NoThieves)
@CacheQuery({ ttl: seconds(50) })
export class DecoratedController {
  constructor(private readonly source: DataSource) {}

  @Get('books/:id')
  @CacheQuery()
  read(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }

  @CacheQuery({ ttl: minutes(10) })
  @Header('x-shelf', 'top')
  @Get('above/:id')
  above(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }

  @Get('later/:id')
  @CacheQuery()
  async later(@Param('id', ParseIntPipe) id: number): Promise<BoundQuery> {
    return Promise.resolve(bookById.bind({ id }));
  }

  @Get('plain')
  @CacheQuery()
  plain(): SelectQueryBuilder<Book> {
    return this.source.getRepository(Book).createQueryBuilder('book').orderBy('book.id');
  }

  @Get('emitted/:id')
  @CacheQuery()
  emitted(@Param('id', ParseIntPipe) id: number): Observable<BoundQuery> {
    return of(bookById.bind({ id }));
  }

  @Get('thenable/:id')
  @CacheQuery()
  thenable(@Param('id', ParseIntPipe) id: number): PromiseLike<BoundQuery> {
    const query = Promise.resolve(bookById.bind({ id }));
    // A promise, but none of this realm's.
    const get = (promise: Promise<BoundQuery>, name: string): unknown =>
      name === 'then' ? promise.then.bind(promise) : Reflect.get(promise, name);
    return new Proxy(query, { get, getPrototypeOf: () => null });
  }

  @Get('overridden/:id')
  @CacheQuery()
  overridden(@Param('id', ParseIntPipe) id: number, @Query('of') _of = 'all'): BoundQuery {
    return bookById.bind({ id: id + 1 });
  }

  @Get('stream')
  @CacheQuery()
  stream(): Observable<unknown> {
    return of({ no: 'query' });
  }

  @Get('other')
  @CacheQuery()
  other(@Query('say') say: string): { say: string } {
    return { say };
  }

  /** Takes the reply itself, to add a header. */
  @Get('with-reply/:id')
  @CacheQuery()
  withReply(
    @Param('id', ParseIntPipe) id: number,
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) reply: Reply,
  ): BoundQuery {
    reply.header('x-asked-for', request.url);
    return bookById.bind({ id });
  }
}

/** Has the handlers of another, under another path. */
@Controller('inherited')
export class InheritingController extends DecoratedController {
  @Get('overridden/:id')
  @CacheQuery()
  override overridden(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }
}

@Controller('forgotten')
export class ForgetfulController {
  constructor(private readonly source: DataSource) {}

  @Get('plain')
  plain(): SelectQueryBuilder<Book> {
    return this.source.getRepository(Book).createQueryBuilder('book');
  }

  @Get('books/:id')
  read(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }

  /** A query inside another value is not found. */
  @Get('wrapped/:id')
  @CacheQuery()
  wrapped(@Param('id', ParseIntPipe) id: number): { data: BoundQuery } {
    return { data: bookById.bind({ id }) };
  }
}

@Controller('watched')
@UseInterceptors(Watcher)
export class WatchedController {
  @Get('books/:id')
  @UseInterceptors(CacheInterceptor)
  read(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }
}
