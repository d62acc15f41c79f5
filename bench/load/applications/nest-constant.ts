/**
 * A Nest handler that returns one Buffer, as fast as Nest gets. BENCH_EXTRAS names what is put around
 * it: `interceptor`, one that does nothing; `compress`, @fastify/compress with its defaults.
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
import type { Observable } from 'rxjs';
import { constantBody, JSON_TYPE } from './constant-body.js';
import { serve } from './serve.js';
import { settings } from './settings.js';

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

const controller = extras.includes('interceptor') ? InterceptedController : PlainController;

await serve({ controllers: [controller] }, async (app) => {
  if (extras.includes('compress')) await app.register(compress);
});
