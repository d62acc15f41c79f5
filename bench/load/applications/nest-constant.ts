/**
 * A Nest handler that returns one Buffer, as fast as Nest gets. BENCH_EXTRAS names what is put around
 * it: `interceptor`, one that does nothing; `ping`, a round trip to Redis before the answer; `compress`,
 * @fastify/compress with its defaults.
 */
import compress from '@fastify/compress';
import {
  Controller,
  Get,
  Header,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Observable } from 'rxjs';
import { constantBody, JSON_TYPE } from './constant-body.js';
import { serve } from './serve.js';
import { redisAddress, settings } from './settings.js';

const body = constantBody(settings().rows);
const extras = (process.env['BENCH_EXTRAS'] ?? '').split(',');

@Controller('users')
class PlainController {
  @Get()
  @Header('content-type', JSON_TYPE)
  list(): Buffer {
    return body;
  }
}

const redis = extras.includes('ping') ? new Redis(redisAddress()) : undefined;

@Controller('users')
class PingingController {
  @Get()
  @Header('content-type', JSON_TYPE)
  async list(): Promise<Buffer> {
    await redis?.ping();
    return body;
  }
}

@Injectable()
class NoOpInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Controller('users')
@UseInterceptors(NoOpInterceptor)
class InterceptedController {
  @Get()
  @Header('content-type', JSON_TYPE)
  list(): Buffer {
    return body;
  }
}

const constant = extras.includes('interceptor') ? InterceptedController : PlainController;
const controller = redis ? PingingController : constant;

await serve({ controllers: [controller] }, async (app) => {
  if (extras.includes('compress')) await app.register(compress);
});
