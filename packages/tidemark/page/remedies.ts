/** What to do about each kind of doubt. */
import type { DoubtReport, MarkReport } from '../src/observe/report.js';
import { counted, duration } from './format.js';
import type { Tone } from './health.js';

export interface Advice {
  readonly tone: Tone;
  readonly state: string;
  /** `undefined`: there is nothing to do. */
  readonly remedy: string | undefined;
  /** SQL or a command of the shell that carries the remedy out. */
  readonly command?: string;
}

export function terminate(backendPid: number): string {
  return `SELECT pg_terminate_backend(${backendPid})`;
}

const INSTALL = 'npx tidemark triggers';

export function markAdvice({ leaseLeftMs, backendPid }: MarkReport): Advice {
  if (leaseLeftMs >= 0) {
    return { tone: 'plain', state: `lease runs ${duration(leaseLeftMs)} more`, remedy: undefined };
  }
  return {
    tone: 'warn',
    state: `lease ran out ${duration(-leaseLeftMs)} ago`,
    remedy:
      'Its writer has not ended the write. The mark goes when its transaction ends. To end it:',
    command: terminate(backendPid),
  };
}

/** A row waits this long only where the relay does not keep up. */
const LATE_MS = 5_000;

export function relayAdvice(relay: NonNullable<DoubtReport['relay']>): Advice {
  const { state, backlogRows = 0, backlogAgeMs = 0 } = relay;
  switch (state) {
    case 'relaying':
      if (backlogAgeMs > LATE_MS) {
        return {
          tone: 'warn',
          state: `relaying, ${counted(backlogRows, 'row')} behind`,
          remedy:
            'Writes from outside reach the cache late. Check the load of PostgreSQL and of this instance.',
        };
      }
      return { tone: 'good', state: 'relaying', remedy: undefined };
    case 'standby':
      return { tone: 'plain', state: 'standby: another instance relays', remedy: undefined };
    case 'away':
      return {
        tone: 'bad',
        state: 'away: its database connection is lost',
        remedy: 'It connects again by itself. Check that PostgreSQL takes direct connections.',
      };
    case 'absent':
      return {
        tone: 'warn',
        state: 'absent: no outbox is followed',
        remedy: 'Install the triggers, so that writes from outside the service are seen:',
        command: INSTALL,
      };
  }
}

const TRIGGER_ADVICE: Readonly<Record<string, Advice>> = {
  installed: { tone: 'good', state: 'installed', remedy: undefined },
  missing: {
    tone: 'warn',
    state: 'missing',
    remedy:
      'Each write of the service counts for the whole table, and writes from outside are not seen. Install them:',
    command: INSTALL,
  },
  outdated: {
    tone: 'warn',
    state: 'outdated',
    remedy: 'They are of other columns or of another release. Replace them:',
    command: INSTALL,
  },
  disabled: {
    tone: 'bad',
    state: 'disabled',
    remedy: 'Writes to the table may be missed. Enable them:',
    command: INSTALL,
  },
};

export function triggerAdvice(state: string): Advice {
  return (
    TRIGGER_ADVICE[state] ?? {
      tone: 'warn',
      state,
      remedy: 'Install them again:',
      command: INSTALL,
    }
  );
}

export const EPOCH_CAUSES: Readonly<Record<DoubtReport['epochs'][number]['cause'], string>> = {
  missing: 'there was none yet',
  lost: 'Redis had lost data that it had confirmed',
  'other-node': 'another Redis server answers',
  outage: 'Redis was unavailable',
};
