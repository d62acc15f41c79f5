import type { DestinationStream } from 'pino';

interface LogRecord {
  readonly level: string;
  readonly time: number;
  readonly msg?: string;
  readonly context?: string;
  readonly error?: { readonly stack?: string };
  readonly [field: string]: unknown;
}

/** JSON lines for machines; on a terminal, lines for people. */
export function logStream(output: DestinationStream & { isTTY?: boolean }): DestinationStream {
  if (!output.isTTY) return output;
  return { write: (line) => output.write(`${readable(JSON.parse(line) as LogRecord)}\n`) };
}

function readable({ level, time, msg = '', context, error, ...fields }: LogRecord): string {
  const clock = new Date(time).toTimeString().slice(0, 8);
  const shownLevel = level === 'info' ? '' : `${level.toUpperCase()} `;
  const source = context ? `${context}: ` : '';
  const values = Object.entries(fields).map(([name, value]) => ` ${name}=${String(value)}`);
  const stack = error?.stack ? `\n${error.stack}` : '';
  return `${clock} ${shownLevel}${source}${msg}${values.join('')}${stack}`;
}
