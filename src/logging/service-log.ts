import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from '../config/config.js';
import { describeError, scrub } from './describe-error.js';
import { logStream } from './log-stream.js';

type Level = Exclude<LogLevel, 'silent'>;

/** The framework logs each module and route that it finds; these records get level debug. */
const FRAMEWORK_CONTEXTS: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** The log of the service: the logger of the framework, and records with fields. */
export class ServiceLog implements LoggerService {
  readonly #pino: Logger;

  constructor(level: LogLevel, output: DestinationStream & { isTTY?: boolean } = process.stdout) {
    this.#pino = pino(
      {
        level,
        base: null,
        timestamp: stdTimeFunctions.epochTime,
        formatters: { level: (label) => ({ level: label }) },
        redact: ['password', 'token', 'authorization', 'cookie', '*.password', '*.authorization'],
      },
      logStream(output),
    );
  }

  /** Whether records of the level are written at all. */
  isEnabled(level: Level): boolean {
    return this.#pino.isLevelEnabled(level);
  }

  /** Writes a record with fields. Never pass bodies, rows or secrets. */
  record(level: Level, fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#pino[level](fields, scrub(message));
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write(FRAMEWORK_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  /** Nest appends the context, and for errors the stack before it. */
  #write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const stack = rest.length > 1 ? rest[0] : undefined;
    const context = rest.at(-1);
    const fields = {
      ...(typeof context === 'string' && { context }),
      ...(typeof stack === 'string' && { error: { stack: scrub(stack) } }),
    };
    if (message instanceof Error) {
      const error = describeError(message);
      this.record(level, { ...fields, error }, error.message);
    } else {
      const text = typeof message === 'string' ? message : JSON.stringify(message);
      this.record(level, fields, text ?? 'undefined');
    }
  }
}
