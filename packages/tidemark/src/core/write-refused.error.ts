/** The write was rolled back because it could not be published to other instances. */
export class WriteRefusedError extends Error {
  /** Stable; HTTP layers answer with 503 and `Retry-After`. */
  readonly code = 'TIDEMARK_WRITE_REFUSED';

  constructor(cause: unknown) {
    super(
      'The write was refused and nothing was changed: Redis cannot be reached, so the write cannot be published to ' +
        'other instances. Try again later.',
      { cause },
    );
    this.name = 'WriteRefusedError';
  }
}
