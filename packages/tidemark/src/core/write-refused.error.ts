/** The write was rolled back because it could not be published to other instances. */
export class WriteRefusedError extends Error {
  /** Stable; HTTP layers answer with 503 and `Retry-After`. */
  readonly code = 'TIDEMARK_WRITE_REFUSED';

  constructor(cause: unknown) {
    super(
      'The write was refused and nothing was changed: the cache that all instances share cannot ' +
        'be reached, so no one could be told of it. Try again in a moment.',
      { cause },
    );
    this.name = 'WriteRefusedError';
  }
}
