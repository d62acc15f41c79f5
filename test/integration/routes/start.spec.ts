/** Real: PostgreSQL. The application does not start where an interceptor would be given a query. */
import { afterEach, expect, it } from '@jest/globals';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Injectable,
  Post,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { CacheInterceptor, CacheQuery, LeavesBody } from '../../../src/query-cache/index.js';
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

@Controller('fine')
@UseInterceptors(Timing)
class FineController {
  @Get('timed')
  timed(): unknown {
    return profileById.bind({ id: 1 });
  }

  @Get('decorated')
  @CacheQuery()
  @UseInterceptors(ClassSerializerInterceptor)
  decorated(): unknown {
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

it.each<[string, Type, Type<NestInterceptor>[]]>([
  ['LateController.read', LateController, []],
  ['EarlyController.read', EarlyController, [CacheInterceptor]],
])('%s', async (route, controller, global) => {
  await expect(start(controller, ...global)).rejects.toThrow(
    `ClassSerializerInterceptor runs inside of CacheInterceptor on ${route} and would be given queries in place ` +
      'of their answers. Put @CacheQuery() on the handler',
  );
});

it('starts where those inside leave the body, the handler answers itself, or writes', async () => {
  const fine = await start(FineController, CacheInterceptor);
  await fine.source.query(PROFILES);
  await ask(fine, '/fine/timed');
  const { headers, selects } = await ask(fine, '/fine/timed');
  expect({ selects, hasTag: 'etag' in headers }).toEqual({ selects: 0, hasTag: true });
  expect((await ask(fine, '/fine/decorated')).body).not.toContain('secret');
});
