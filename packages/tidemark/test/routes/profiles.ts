/** Routes with interceptors, each twice: answered by the cache, and by the handler itself. */
import {
  applyDecorators,
  ClassSerializerInterceptor,
  Controller,
  Get,
  Param,
  Redirect,
  SerializeOptions,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { Exclude, Expose, Transform } from 'class-transformer';
import { map, of, tap, type Observable } from 'rxjs';
import { Column, DataSource, Entity, PrimaryColumn, type SelectQueryBuilder } from 'typeorm';
import { CacheInterceptor, CacheQuery, defineQuery } from '../../src/index.js';
import type { Reply } from './adopter.js';

@Entity('profiles')
export class Profile {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  @Transform(({ value }: { value: string }) => value.toUpperCase())
  name!: string;

  @Column('text')
  @Exclude()
  password!: string;

  @Column('text')
  @Expose({ groups: ['staff'] })
  email!: string;

  @Column('timestamptz')
  since!: Date;

  @Expose()
  get greeting(): string {
    return `Hello, ${this.name}`;
  }
}

export class Badge {
  @Expose()
  id!: number;

  @Expose({ name: 'label' })
  name!: string;
}

interface Asked {
  readonly id: number;
}

type Profiles = SelectQueryBuilder<Profile>;

const all = (source: DataSource): Profiles =>
  source.getRepository(Profile).createQueryBuilder('profile').orderBy('profile.id');
const byId = (source: DataSource, { id }: Asked): Profiles => all(source).where({ id });

export const profileById = defineQuery({ name: 'profile', shape: 'one', build: byId });
const namedById = defineQuery({
  name: 'profile.name',
  shape: 'one',
  build: byId,
  map: ({ name }: Profile) => name,
});
const homeById = defineQuery({
  name: 'profile.home',
  shape: 'one',
  build: byId,
  map: ({ id }: Profile) => ({ url: `/home/${id}`, statusCode: 307 }),
});

/** An interceptor class that does this to what the handler emits. */
export function emitting(
  change: (value: never, reply: Reply) => unknown,
  name = 'Changing',
): Type<NestInterceptor> {
  class Changing implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const reply = context.switchToHttp().getResponse<Reply>();
      return next.handle().pipe(map((value: unknown) => change(value as never, reply)));
    }
  }
  Object.defineProperty(Changing, 'name', { value: name });
  return Changing;
}

export const Envelope = emitting((data) => ({ data }), 'Envelope');
const Mask = emitting((value: object | object[]) => {
  for (const item of [value].flat()) delete (item as Partial<Profile>).email;
  return value;
}, 'Mask');
const Naming = emitting((value: Profile | Profile[], reply) => {
  reply.header('x-name', [value].flat()[0]?.name).header('vary', 'X-Name');
  return value;
}, 'Naming');
const Replacing = emitting(() => 'nothing to see', 'Replacing');

class Failing implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      tap(() => {
        throw new Error('after the answer');
      }),
    );
  }
}

class Skipping implements NestInterceptor {
  intercept(): Observable<unknown> {
    return of({ instead: true });
  }
}

/** The interceptor that a decorator further up adds runs further inside. */
const INNERMOST: MethodDecorator = UseInterceptors(CacheInterceptor);

const NONE: MethodDecorator & ClassDecorator = () => undefined;

interface Dress {
  readonly onController?: ClassDecorator;
  readonly onCachedController?: ClassDecorator;
  /** On the handler, outside of what answers the query. */
  readonly around?: MethodDecorator;
  /** The part that answers the query; default `CacheInterceptor`. */
  readonly answering?: MethodDecorator;
}

/** Two controllers that differ in whether what they return is a query or its answer. */
function pair(path: string, dress: Dress): readonly [Type, Type] {
  const { onController = NONE, onCachedController = NONE } = dress;
  const { around = NONE, answering = INNERMOST } = dress;
  const controller = (isCached: boolean): Type => {
    const answer: MethodDecorator = isCached ? answering : NONE;
    @Controller(`${isCached ? 'cached' : 'plain'}/${path}`)
    @(isCached ? onCachedController : NONE)
    @onController
    class Profiles {
      constructor(private readonly source: DataSource) {}

      @Get('one/:id')
      @answer
      @around
      one(@Param('id') id: string): unknown {
        const asked = { id: Number(id) };
        return isCached ? profileById.bind(asked) : byId(this.source, asked).getOne();
      }

      @Get('all')
      @answer
      @around
      all(): unknown {
        return isCached ? all(this.source) : all(this.source).getMany();
      }

      @Get('text/:id')
      @answer
      @around
      async text(@Param('id') id: string): Promise<unknown> {
        const asked = { id: Number(id) };
        if (isCached) return namedById.bind(asked);
        return (await byId(this.source, asked).getOneOrFail()).name;
      }

      @Get('home/:id')
      @(isCached ? INNERMOST : NONE)
      @around
      @Redirect('/lost')
      home(@Param('id') id: string): unknown {
        const asked = { id: Number(id) };
        return isCached ? homeById.bind(asked) : { url: `/home/${id}`, statusCode: 307 };
      }
    }
    Reflect.defineMetadata('design:paramtypes', [DataSource], Profiles);
    return Profiles;
  };
  return [controller(true), controller(false)];
}

export const DRESSES: Readonly<Record<string, Dress>> = {
  nothing: { answering: CacheQuery() },
  'interceptor-on-route': {},
  'interceptor-on-controller': {
    onCachedController: UseInterceptors(CacheInterceptor),
    answering: NONE,
  },
  'serializer-on-route': { around: UseInterceptors(ClassSerializerInterceptor) },
  'serializer-on-controller': { onController: UseInterceptors(ClassSerializerInterceptor) },
  'serializer-before-cache-on-controller': {
    onController: UseInterceptors(ClassSerializerInterceptor),
    onCachedController: UseInterceptors(CacheInterceptor),
    answering: NONE,
  },
  'serializer-inside-of-cache-on-controller': {
    onCachedController: UseInterceptors(CacheInterceptor),
    around: UseInterceptors(ClassSerializerInterceptor),
  },
  'serializer-with-groups': {
    around: applyDecorators(
      UseInterceptors(ClassSerializerInterceptor),
      SerializeOptions({ groups: ['staff'] }),
    ),
  },
  'serializer-with-type': {
    around: applyDecorators(
      UseInterceptors(ClassSerializerInterceptor),
      SerializeOptions({ type: Badge, excludeExtraneousValues: true }),
    ),
  },
  envelope: { around: UseInterceptors(Envelope) },
  mask: { onController: UseInterceptors(Mask) },
  reader: { onController: UseInterceptors(new Naming()) },
  replacing: { around: UseInterceptors(Replacing) },
  failing: { around: UseInterceptors(Failing) },
  skipping: { around: UseInterceptors(Skipping) },
};

export function profileControllers(paths: readonly string[] = Object.keys(DRESSES)): Type[] {
  return paths.flatMap((path) => pair(path, DRESSES[path] ?? {}));
}

export const PROFILES = `INSERT INTO profiles VALUES
  (1, 'ada', 'secret', 'ada@ex.com', '2020-02-02T02:02:02Z'),
  (2, 'bob', 'hidden', 'bob@ex.com', '2021-01-01T01:01:01Z')`;
