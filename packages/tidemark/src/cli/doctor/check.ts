/** `warn`: works, and costs speed or is a risk. `FAIL`: answers may be stale, or nothing is cached. */
export type CheckLevel = 'ok' | 'warn' | 'FAIL';

/** One line of the report: what was found, and what to change unless it is `ok`. */
export interface Check {
  readonly level: CheckLevel;
  readonly subject: string;
  readonly text: string;
}

export function check(level: CheckLevel, subject: string, text: string): Check {
  return { level, subject, text };
}
