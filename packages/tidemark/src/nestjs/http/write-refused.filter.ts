import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch } from '@nestjs/common';
import { BaseExceptionFilter, type ApplicationConfig, type HttpAdapterHost } from '@nestjs/core';
import { throwError } from 'rxjs';
import { WriteRefusedError } from '../write-refused.error.js';

/** The metadata key in which `@Catch` stores the classes of errors. */
const CATCHES_METADATA = '__filterCatchExceptions__';

/**
 * Sets `Retry-After` on the answer to a refused write. The answer itself is that of the application's other global
 * filters, or of Nest.
 */
@Catch(WriteRefusedError)
export class WriteRefusedFilter implements ExceptionFilter<WriteRefusedError> {
  constructor(
    private readonly config: ApplicationConfig,
    private readonly host: HttpAdapterHost,
  ) {}

  catch(refused: WriteRefusedError, host: ArgumentsHost): unknown {
    if (host.getType() === 'http') {
      const response: unknown = host.switchToHttp().getResponse();
      const { httpAdapter } = this.host;
      if (!httpAdapter.isHeadersSent(response)) {
        httpAdapter.setHeader(response, 'retry-after', String(refused.retryAfterSeconds));
      }
    }
    const next = this.config
      .getGlobalFilters()
      .findLast((other) => !(other instanceof WriteRefusedFilter) && catches(other, refused));
    // A filter's `catch` is none of a promise.
    // eslint-disable-next-line promise/valid-params
    if (next) return next.catch(refused, host) as unknown;
    if (host.getType() === 'rpc') return throwError(() => refused);
    if (host.getType() !== 'http') return refused;
    new BaseExceptionFilter(this.host.httpAdapter).catch(refused, host);
    return undefined;
  }
}

function catches(filter: ExceptionFilter, error: Error): boolean {
  const types = Reflect.getMetadata(CATCHES_METADATA, filter.constructor) as
    readonly (abstract new () => unknown)[] | undefined;
  return !types || types.length === 0 || types.some((type) => error instanceof type);
}
