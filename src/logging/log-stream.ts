import type { DestinationStream } from 'pino';

interface LogRecord {
  readonly level: string;
  readonly time: number;
  readonly msg?: string;
  readonly context?: string;
  readonly [field: string]: unknown;
}

type Output = DestinationStream & { readonly isTTY?: boolean };

const OWN_FIELDS = new Set(['level', 'time', 'msg', 'context', 'error']);

/** JSON lines for machines; on a terminal, lines for people. */
export function logStream(output: Output): DestinationStream {
  if (!output.isTTY) return output;
  return {
    write: (line) => {
      output.write(`${readable(JSON.parse(line) as LogRecord)}\n`);
    },
  };
}

function readable(record: LogRecord): string {
  const time = new Date(record.time).toTimeString().slice(0, 8);
  const level = record.level === 'info' ? '' : `${record.level.toUpperCase()} `;
  const context = record.context ? `${record.context}: ` : '';
  const fields = Object.entries(record)
    .filter(([name]) => !OWN_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${String(value)}`)
    .join('');
  return `${time} ${level}${context}${record.msg ?? ''}${fields}${stackOf(record['error'])}`;
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('stack' in error)) return '';
  return `\n${String(error.stack)}`;
}
