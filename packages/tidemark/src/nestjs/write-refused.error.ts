import { HttpException, HttpStatus } from '@nestjs/common';
import { WRITE_REFUSED, WRITE_REFUSED_MESSAGE } from '../core/write-refused.js';

/** The write was rolled back because it could not be published to other instances: 503 with `Retry-After`. */
export class WriteRefusedError extends HttpException {
  readonly code = WRITE_REFUSED;
  /** The value of the header `Retry-After`. */
  readonly retryAfterSeconds = 1;

  constructor(cause: unknown) {
    super(WRITE_REFUSED_MESSAGE, HttpStatus.SERVICE_UNAVAILABLE, { cause });
  }
}
