/** A Nest handler behind an interceptor that does nothing, answering 304 to every request. */
import {
  Controller,
  Get,
  Header,
  HttpCode,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { CONSTANT_TAG } from './constant-body.js';
import { serve } from './serve.js';

@Injectable()
class NoOpInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Controller('users')
@UseInterceptors(NoOpInterceptor)
class UsersController {
  @Get()
  @HttpCode(304)
  @Header('etag', CONSTANT_TAG)
  list(): void {
    // The status and the tag are all there is to say.
  }

  /** The bench waits for an answer 2xx before it begins. */
  @Get('ready')
  ready(): string {
    return 'ready';
  }
}

await serve({ controllers: [UsersController] });
