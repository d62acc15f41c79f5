/** Real: PostgreSQL. The application does not start where an interceptor would be given a query. */
import { afterEach, expect, it } from '@jest/globals';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Injectable,
  Post,
  Redirect,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { CacheInterceptor, CacheQuery, LeavesBody } from '../../src/index.js';
import { startAdopter, type Adopter } from './adopter.js';
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
