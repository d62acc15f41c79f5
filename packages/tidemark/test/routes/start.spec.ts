/** Real: PostgreSQL. The application does not start where an interceptor would be given a query. */
import { afterEach, expect, it } from 'vitest';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Injectable,
  Next,
  Param,
  Post,
  Redirect,
  Res,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { CacheInterceptor, CacheQuery, LeavesBody } from '../../src/index.js';
import { ADAPTERS, startAdopter, type Adopter, type Reply } from './adopter.js';
import { Profile, profileById, PROFILES } from './profiles.js';
import { ask } from './same-answers.js';

@Injectable()
@LeavesBody()
class Timing implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Controller('late')
@UseInterceptors(CacheInterceptor)
class LateController {
  @Get()
  @UseInterceptors(ClassSerializerInterceptor)
  read(): unknown {
    return profileById.bind({ id: 1 });
  }
}

@Controller('early')
@UseInterceptors(ClassSerializerInterceptor)
class EarlyController {
  @Get()
  read(): unknown {
    return profileById.bind({ id: 1 });
  }
}

@Controller('decorated')
class DecoratedController {
  @Get()
  @CacheQuery()
  read(): unknown {
    return profileById.bind({ id: 1 });
  }
}

@Controller('redirecting')
class RedirectingController {
  @Get()
  @CacheQuery()
  @Redirect('/lost')
  read(): unknown {
    return profileById.bind({ id: 1 });
  }
}

@Controller('fine')
@UseInterceptors(Timing)
class FineController {
  @Get('timed')
  timed(): unknown {
    return profileById.bind({ id: 1 });
  }

  @Get('serialized')
  @UseInterceptors(ClassSerializerInterceptor, CacheInterceptor)
  serialized(): unknown {
    return profileById.bind({ id: 1 });
  }

  @Post()
  @UseInterceptors(ClassSerializerInterceptor)
  write(): unknown {
    return { written: true };
  }
}

@Controller('taking')
class TakingReplyController {
  @Get()
  @CacheQuery()
  read(@Res() _reply: object): unknown {
    return profileById.bind({ id: 1 });
  }
}

@Controller('taking')
class TakingNextController {
  @Get()
  @UseInterceptors(CacheInterceptor)
  read(@Next() _next: object, @Param('id') _id: string): unknown {
    return profileById.bind({ id: 1 });
  }
}

@Controller('sending')
@UseInterceptors(CacheInterceptor)
class SendingController {
  @Get('itself')
  itself(@Res() reply: Reply): void {
    reply.send({ by: 'itself' });
  }

  @Get('query')
  query(@Res() _reply: Reply): unknown {
    return profileById.bind({ id: 1 });
  }

  @Get('passing')
  @CacheQuery()
  passing(@Res({ passthrough: true }) _reply: Reply): unknown {
    return profileById.bind({ id: 1 });
  }
}

let adopter: Adopter | undefined;

async function start(controller: Type, ...global: Type<NestInterceptor>[]): Promise<Adopter> {
  adopter = await startAdopter({
    entities: [Profile],
    controllers: [controller],
    providers: global.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass })),
  });
  return adopter;
}

afterEach(async () => {
  await adopter?.stop();
  adopter = undefined;
});

const SERIALIZER = 'ClassSerializerInterceptor';

it.each<[name: string, route: string, Type, ...global: Type<NestInterceptor>[]]>([
  [SERIALIZER, 'LateController.read', LateController],
  [SERIALIZER, 'EarlyController.read', EarlyController, CacheInterceptor],
  [SERIALIZER, 'DecoratedController.read', DecoratedController, ClassSerializerInterceptor],
  ['@Redirect, @Render or @Sse', 'RedirectingController.read', RedirectingController],
])('does not start: %s, %s', async (name, route, controller, ...global) => {
  await expect(start(controller, ...global)).rejects.toThrow(
    `${name} would be given queries in place of their answers on ${route}.`,
  );
});

it('starts where those inside leave the body, CacheInterceptor is inside, or the route writes', async () => {
  const fine = await start(FineController, CacheInterceptor);
  await fine.source.query(PROFILES);
  await ask(fine, '/fine/timed');
  const { headers, selects } = await ask(fine, '/fine/timed');
  expect({ selects, hasTag: 'etag' in headers }).toEqual({ selects: 0, hasTag: true });
  expect((await ask(fine, '/fine/serialized')).body).not.toContain('secret');
});

it('starts with several global interceptors where CacheInterceptor is the last', async () => {
  const several = await start(DecoratedController, ClassSerializerInterceptor, CacheInterceptor);
  await several.source.query(PROFILES);
  await ask(several, '/decorated');
  const { body, selects } = await ask(several, '/decorated');
  expect({ selects, greeting: body.includes('Hello'), hasSecret: body.includes('secret') }).toEqual(
    {
      selects: 0,
      greeting: true,
      hasSecret: false,
    },
  );
});

it.each<[string, Type]>([
  ['@Res()', TakingReplyController],
  ['@Next()', TakingNextController],
])('does not start where %s keeps Nest from sending the answer', async (_, controller) => {
  await expect(start(controller)).rejects.toThrow(
    `${controller.name}.read would never be answered: with @Res() or @Next(), Nest leaves it to the handler to send ` +
      'its answer, and it returns a query. Use @Res({ passthrough: true }), and leave @Next() out.',
  );
});

it.each(ADAPTERS)(
  '%s: a handler with @Res() may send its answer, and gets an error for a query',
  async (adapter) => {
    adopter = await startAdopter({
      adapter,
      entities: [Profile],
      controllers: [SendingController],
    });
    await adopter.source.query(PROFILES);
    expect((await ask(adopter, '/sending/itself')).body).toBe('{"by":"itself"}');
    expect((await ask(adopter, '/sending/passing')).body).toContain('ada');
    expect(await ask(adopter, '/sending/query')).toMatchObject({ status: 500, selects: 0 });
  },
);
