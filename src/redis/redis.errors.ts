/**
 * What can go wrong with Redis. None of these errors carries the command, its arguments or an
 * error of the client as `cause`: those may hold a password or a stored answer.
 */

export const PERMISSION_REMEDY = 'docs/replicas.md has the ACL rules that its user needs';

export abstract class RedisError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** There is no usable connection; the command was not sent, or its connection broke. */
export class RedisUnavailableError extends RedisError {
  constructor(reason: string) {
    super(`Redis is not available: ${reason}`);
  }
}

/** No answer came in time. Whether the command took effect is unknown. */
export class RedisTimeoutError extends RedisError {
  constructor(command: string, timeoutMs: number) {
    super(`Redis did not answer ${command} within ${timeoutMs} ms`);
  }
}

/** Redis answered with an error. */
export class RedisCommandError extends RedisError {
  /** `replyCode` is the first word of Redis's answer, such as `NOSCRIPT` or `OOM`. */
  constructor(
    command: string,
    readonly replyCode: string,
    reply: string,
  ) {
    super(`Redis refused ${command}: ${reply}`);
  }
}

/** The server does not let this client run what it needs. */
export class RedisPermissionError extends RedisError {
  constructor(commands: readonly string[]) {
    super(`it refuses ${commands.join(', ')}; ${PERMISSION_REMEDY}`);
  }
}

/** The address of Redis cannot be understood. The message does not repeat it. */
export class RedisUrlError extends RedisError {
  constructor(problem: string) {
    super(
      `The Redis URL ${problem}; write redis://[user:password@]host[:port][/database], or rediss:// for TLS`,
    );
  }
}
